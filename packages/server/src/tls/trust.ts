import { X509Certificate } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { rootCertificates } from 'node:tls'

import type { Config } from '../config/config.ts'
import { readAuthority } from './authority.ts'

/** Files that every user of this machine may read. */
export interface TrustFiles {
  /** The local authority alone. */
  readonly authority: string
  /** The system's authorities and the local one. */
  readonly bundle: string
}

/** Where systems keep the authorities they trust. */
const systemBundles = ['/etc/ssl/certs/ca-certificates.crt', '/etc/pki/tls/certs/ca-bundle.crt', '/etc/ssl/cert.pem']

/** Where the files of an authority are, or will be: each has its own, so that servers on one machine do not meet. */
function trustFilesOf(directory: string, authority: string): TrustFiles {
  const id = new X509Certificate(authority).fingerprint256.replaceAll(':', '').slice(0, 16).toLowerCase()
  return { authority: path.join(directory, `authority-${id}.pem`), bundle: path.join(directory, `bundle-${id}.pem`) }
}

/** Puts the certificate of the authority where clients find it. */
export function publishTrust(directory: string, authority: string): TrustFiles {
  const files = trustFilesOf(directory, authority)
  mkdirSync(directory, { recursive: true, mode: 0o755 })
  replace(files.authority, authority)
  replace(files.bundle, `${systemAuthorities().trimEnd()}\n${authority}`)
  return files
}

function systemAuthorities(): string {
  const file = systemBundles.find((candidate) => existsSync(candidate))
  return file === undefined ? rootCertificates.join('\n') : readFileSync(file, 'utf8')
}

function replace(file: string, text: string): void {
  const draft = `${file}.${process.pid}`
  writeFileSync(draft, text)
  chmodSync(draft, 0o644)
  renameSync(draft, file)
}

/**
 * The files that clients of a server need to trust it; undefined when they need none: TLS is off, or the certificate is the
 * operator's own, or none was made yet.
 * @throws as `readAuthority`.
 */
export function clientTrust({ tls, dataDirectory }: Pick<Config, 'tls' | 'dataDirectory'>): TrustFiles | undefined {
  if (!tls.listen || tls.files) return undefined
  const authority = readAuthority(dataDirectory)
  const files = authority && trustFilesOf(tls.trustDirectory, authority.certificate)
  return files && existsSync(files.bundle) ? files : undefined
}
