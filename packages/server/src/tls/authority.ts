import { X509Certificate, randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import path from 'node:path'

import { codeOf } from '@torpor/file-system'

import { ConfigError } from '../config/config.ts'
import { createOnce } from '../config/create-once.ts'
import type { KeyPair } from './make-certificates.ts'

const authorityDays = 3650
/** It must outlive what it signs by far: clients that run for long have it in their memory. */
const leastLeftMilliseconds = 90 * 86_400_000

const fileBelow = (dataDirectory: string): string => path.join(dataDirectory, 'tls', 'authority.pem')

/**
 * The authority of a data directory, made when there is none or the one there is nears its end.
 * @throws ConfigError when its file holds something else.
 */
export async function keepAuthority(dataDirectory: string): Promise<KeyPair> {
  const file = fileBelow(dataDirectory)
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
  const known = readAuthority(dataDirectory)
  if (known && !endsSoon(known)) return known
  if (known) rmSync(file)
  // Loaded here, so that what only reads the authority does not wait for it.
  const { makeAuthority } = await import('./make-certificates.ts')
  // Sandboxes see the name: it tells nothing of this machine.
  const made = await makeAuthority(`Torpor local authority ${randomBytes(4).toString('hex')}`, authorityDays)
  // One file, so that a key and a certificate that do not belong together cannot come to be.
  createOnce(file, made.certificate + made.key)
  return readAuthority(dataDirectory) ?? made
}

/**
 * The authority of a data directory; undefined when none was made yet.
 * @throws ConfigError when its file holds something else; the system's error (EACCES) when the caller may not read it.
 */
export function readAuthority(dataDirectory: string): KeyPair | undefined {
  const file = fileBelow(dataDirectory)
  let text
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
  const [certificate, key] = [blockOf(text, 'CERTIFICATE'), blockOf(text, 'PRIVATE KEY')]
  if (certificate === undefined || key === undefined || !isReadable(certificate)) {
    throw new ConfigError([`${file}: holds no authority; restore it from a backup, or remove it to have a new one made`])
  }
  return { certificate, key }
}

const blockOf = (text: string, label: string): string | undefined =>
  new RegExp(String.raw`-----BEGIN ${label}-----[^-]+-----END ${label}-----\n`).exec(text)?.[0]

function isReadable(certificate: string): boolean {
  try {
    return new X509Certificate(certificate).ca
  } catch {
    return false
  }
}

const endsSoon = ({ certificate }: KeyPair): boolean =>
  new X509Certificate(certificate).validToDate.getTime() - Date.now() < leastLeftMilliseconds
