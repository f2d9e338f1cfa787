import { type Config, certificateProblem } from '@torpor/server/config'
import { resolves } from '@torpor/setup'

import { portError } from '../server/address.ts'
import { servingServer } from '../server/server-record.ts'
import type { Check } from './check.ts'

/** Whether clients find the server and its sandboxes, and can trust what they find. */
export const addressChecks: readonly Check[] = [
  {
    name: 'port',
    severity: 'error',
    breaks: 'the server does not start',
    mend: 'end the program that `ss -ltnp` shows there, or set TORPOR_LISTEN',
    find: ({ listen, dataDirectory }) => taken(listen, dataDirectory),
  },
  {
    name: 'TLS port',
    severity: 'error',
    breaks: 'the server does not start',
    mend: 'end the program that `ss -ltnp` shows there, or set TORPOR_TLS_LISTEN, to `off` for none',
    find: ({ tls, dataDirectory }) => (tls.listen ? taken(tls.listen, dataDirectory) : undefined),
  },
  {
    name: 'certificate',
    severity: 'error',
    breaks: 'clients that use host names refuse the connection, or the server does not start',
    mend: 'set TORPOR_TLS_CERT and TORPOR_TLS_KEY to a certificate for <domain> and *.<domain>, or unset both for one of a local authority',
    find: (config) => certificateProblem(config),
  },
]

/** Whether names of sandboxes lead anywhere, as seen from this machine. */
export const nameChecks: readonly Check[] = [
  {
    name: 'local names',
    severity: 'warning',
    breaks: 'programs of this machine do not find sandboxes by name: code interpreters of Novita SDKs, https://<port>-<sandbox>.<domain>',
    mend: 'apt-get install libnss-myhostname (elsewhere: nss-myhostname of systemd, in the line `hosts:` of /etc/nsswitch.conf)',
    find: ({ domain }) => (isLocal(domain) ? unresolved(domain) : undefined),
  },
  {
    name: 'public names',
    severity: 'warning',
    breaks: 'clients do not find sandboxes by name',
    mend: 'make a wildcard DNS record for TORPOR_DOMAIN that leads to this machine: *.sbx.example.org. 300 IN A <address>',
    find: ({ domain }) => (isLocal(domain) ? undefined : unresolved(domain)),
  },
]

/** The check of what a server of ours has itself needs root, to see that it is ours. */
async function taken(listen: Config['listen'], dataDirectory: string): Promise<string | undefined> {
  if (process.geteuid?.() === 0 && (await servingServer(dataDirectory)) !== undefined) return undefined
  const error = await portError(listen)
  return error && `${listen.host}:${listen.port}: ${error.code === 'EADDRINUSE' ? 'taken by another program' : error.message}`
}

const isLocal = (domain: string): boolean => /(^|\.)localhost(:\d+)?$/.test(domain)

/** A name like a sandbox's: a record for the domain alone is not enough. */
async function unresolved(domain: string): Promise<string | undefined> {
  const name = `3000-sandbox.${domain.replace(/:\d+$/, '')}`
  return (await resolves(name)) ? undefined : `${name} does not resolve`
}
