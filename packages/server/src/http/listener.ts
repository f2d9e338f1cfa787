import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http'
import type { Duplex } from 'node:stream'

import { TorporError } from '@torpor/contract'

/** What one origin serves: sandboxes by the edge, everything else by the API. */
export interface Doors {
  readonly edge: {
    match(request: IncomingMessage): boolean
    shouldUpgrade(request: IncomingMessage): boolean
    handle(request: IncomingMessage, response: ServerResponse): void
    upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  }
  readonly api: (request: IncomingMessage, response: ServerResponse) => void
}

export interface ListenAddress {
  readonly host: string
  /** 0 takes any free port. */
  readonly port: number
}

export interface Listener {
  /** `host:port`, the real port. */
  readonly address: string
  /** Takes no new connection and ends the open ones. */
  close(): Promise<void>
}

/**
 * One HTTP listener for both planes. Requests into sandboxes may be silent or last for hours, so there is no limit on a
 * request's length; the headers must arrive within Node's default time.
 */
export async function listen(doors: Doors, at: ListenAddress): Promise<Listener> {
  const { edge, api } = doors
  const options = {
    requestTimeout: 0,
    keepAliveTimeout: 65_000,
    // Clients that offer h2c with every request are served plain HTTP.
    shouldUpgradeCallback: (request: IncomingMessage) => edge.match(request) && edge.shouldUpgrade(request),
  }
  const server = createServer(options, (request, response) =>
    edge.match(request) ? edge.handle(request, response) : api(request, response),
  )
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => server.emit('request', request, response))
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    edge.match(request)
      ? edge.upgrade(request, socket, head)
      : socket.end('HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n'),
  )
  await bind(server, at)
  return { address: addressOf(server), close: () => close(server) }
}

function addressOf(server: Server): string {
  const bound = server.address()
  if (bound === null || typeof bound === 'string') throw new TorporError('internal', 'The listener has no address')
  return bound.family === 'IPv6' ? `[${bound.address}]:${bound.port}` : `${bound.address}:${bound.port}`
}

function bind(server: Server, { host, port }: ListenAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const taken = cause.code === 'EADDRINUSE'
      const message = taken
        ? `${host}:${port} is taken by another program: end it, or choose another with TORPOR_LISTEN`
        : `cannot listen on ${host}:${port}`
      reject(new TorporError('unavailable', message, { cause }))
    })
    server.listen(port, host, resolve)
  })
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
