import { X509Certificate, createPrivateKey } from 'node:crypto'
import { readFile } from 'node:fs/promises'

import { TorporError } from '@torpor/contract'

import type { Config } from '../config/config.ts'
import type { KeyPair } from './make-certificates.ts'

/** Gives the certificate that is to be used now; the same one again while nothing changed. */
export type CertificateSource = () => Promise<KeyPair>

const leafDays = 30
const renewMilliseconds = 15 * 86_400_000

/** Signed by our own authority, for the domain and all names right below it; a new one when half of its time is over. */
export function signedBy(authority: KeyPair, domain: string): CertificateSource {
  let current: { readonly pair: KeyPair; readonly madeAt: number } | undefined
  return async () => {
    if (current && Date.now() - current.madeAt < renewMilliseconds) return current.pair
    const { makeLeaf } = await import('./make-certificates.ts')
    current = { pair: await makeLeaf(authority, [domain, `*.${domain}`], leafDays), madeAt: Date.now() }
    return current.pair
  }
}

/** The operator's own files, read anew each time. @throws TorporError `unavailable` when they are not what they should be. */
export function operatorFiles(certificateFile: string, keyFile: string): CertificateSource {
  return async () => {
    try {
      const [certificate, key] = await Promise.all([readFile(certificateFile, 'utf8'), readFile(keyFile, 'utf8')])
      const fits = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
      if (!fits) throw new Error('the key is not that of the certificate')
      return { certificate, key }
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause)
      throw new TorporError('unavailable', `TORPOR_TLS_CERT and TORPOR_TLS_KEY cannot be used: ${why}`, { cause })
    }
  }
}

/** What is wrong with the operator's own certificate; undefined when nothing is, or when there is none. */
export async function certificateProblem({ tls, domain }: Pick<Config, 'tls' | 'domain'>): Promise<string | undefined> {
  if (!tls.listen || !tls.files) return undefined
  try {
    const pair = await operatorFiles(tls.files.certificate, tls.files.key)()
    return complaintAbout(pair, hostOf(domain))
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** A domain without its port. */
export const hostOf = (domain: string): string => domain.replace(/:\d+$/, '')

/** What is wrong with a certificate for a domain, to be told to the operator; undefined when nothing is. */
export function complaintAbout({ certificate }: KeyPair, domain: string): string | undefined {
  const parsed = new X509Certificate(certificate)
  if (parsed.validToDate.getTime() < Date.now()) return `the certificate ended on ${parsed.validTo}`
  const missing = [`api.${domain}`, `3000-sandbox.${domain}`].filter((name) => parsed.checkHost(name) === undefined)
  return missing.length === 0 ? undefined : `the certificate does not cover *.${domain}`
}
