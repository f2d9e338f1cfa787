import { createServer } from 'node:net'

import type { Config } from '@torpor/server/config'
import { SetupProblem } from '@torpor/setup'

/** `host:port` under which this machine itself reaches a server that listens there. */
export function reachable(listen: Config['listen']): string {
  const host = listen.host === '0.0.0.0' ? '127.0.0.1' : listen.host === '::' ? '::1' : listen.host
  return `${host.includes(':') ? `[${host}]` : host}:${listen.port}`
}

/** @throws SetupProblem when something cannot be served where it is to be. */
export async function requireFreePorts({ listen, tls }: Pick<Config, 'listen' | 'tls'>): Promise<void> {
  await requireFreePort(listen, 'TORPOR_LISTEN')
  if (tls.listen) await requireFreePort(tls.listen, 'TORPOR_TLS_LISTEN')
}

async function requireFreePort(listen: Config['listen'], setting: string): Promise<void> {
  const error = await portError(listen)
  if (error) throw portProblem(listen, setting, error)
}

/** Why the port cannot be listened on; undefined when it can. */
export function portError(listen: Config['listen']): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', (error) => resolve(error))
    probe.listen({ ...listen, exclusive: true }, () => probe.close(() => resolve(undefined)))
  })
}

function portProblem(listen: Config['listen'], setting: string, error: NodeJS.ErrnoException): SetupProblem {
  const place = `${listen.host}:${listen.port}`
  if (error.code === 'EADDRINUSE') {
    const mend = `ss -ltnp 'sport = :${listen.port}' shows by what; or ${setting}=${listen.host}:${listen.port + 1} ./torpor up`
    return new SetupProblem(`${place} is taken by another program`, { mend, cause: error })
  }
  if (error.code === 'EADDRNOTAVAIL') {
    return new SetupProblem(`${listen.host} is no address of this machine`, {
      mend: `set ${setting} to one of those that \`ip addr\` shows`,
      cause: error,
    })
  }
  return new SetupProblem(`cannot listen on ${place}: ${error.message}`, { mend: `set ${setting}`, cause: error })
}
