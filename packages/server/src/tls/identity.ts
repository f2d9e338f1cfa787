import type { Log } from '@torpor/core'

import type { Config } from '../config/index.ts'
import { keepAuthority } from './authority.ts'
import { type CertificateSource, complaintAbout, hostOf, operatorFiles, signedBy } from './certificate-source.ts'
import { publishTrust } from './trust.ts'

/** How the server shows who it is. */
export interface TlsIdentity {
  readonly at: { readonly host: string; readonly port: number }
  readonly certificates: CertificateSource
  /** The authority that clients have to be told of, PEM; undefined with the operator's own certificate. */
  readonly authority: string | undefined
}

/**
 * The server's certificate, made or read; undefined when TLS is off.
 * @throws TorporError `unavailable` when the operator's files cannot be used; ConfigError when ours are damaged.
 */
export async function openIdentity({ tls, domain, dataDirectory }: Config, log: Log): Promise<TlsIdentity | undefined> {
  if (!tls.listen) return undefined
  const host = hostOf(domain)
  if (tls.files) {
    const certificates = operatorFiles(tls.files.certificate, tls.files.key)
    const complaint = complaintAbout(await certificates(), host)
    if (complaint !== undefined) log.warn({ domain: host }, `${complaint}; clients will refuse it`)
    return { at: tls.listen, certificates, authority: undefined }
  }
  const authority = await keepAuthority(dataDirectory)
  try {
    publishTrust(tls.trustDirectory, authority.certificate)
  } catch (error) {
    log.warn({ error }, 'the certificate of the local authority could not be put into TORPOR_TRUST_DIR; `torpor env` does not name it')
  }
  return { at: tls.listen, certificates: signedBy(authority, host), authority: authority.certificate }
}
