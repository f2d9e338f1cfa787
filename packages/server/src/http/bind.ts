import type { Server } from 'node:net'

import { TorporError } from '@torpor/contract'

export interface ListenAddress {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
}

/** `host:port` of a bound server, an IPv6 address in brackets. */
export function addressOf(server: Server): string {
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new TorporError('internal', 'The listener has no address')
  return bound.family === 'IPv6' ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`
}

/** @param setting the variable that says where, for the message. */
export function bind(server: Server, { host, port }: ListenAddress, setting: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE'
      const message = taken
        ? `${host}:${port} is taken by another program: end it, or choose another with ${setting}`
        : `cannot listen on ${host}:${port}`
      reject(new TorporError('unavailable', message, { cause }))
    })
    server.listen(port, host, resolve)
  })
}
