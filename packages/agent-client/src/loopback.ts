import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http'
import { type Socket, createServer as createTcpServer } from 'node:net'

import { agentPort } from '@torpor/contract'

/** What stands in for a sandbox in tests: a server on the agent's port of a loopback address of its own. */
export interface Loopback extends AsyncDisposable {
  readonly address: string
  /** Connections made so far. */
  readonly connections: readonly Socket[]
  /** Resolves when every connection is closed. */
  disconnected(): Promise<void>
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void | Promise<void>

/** An address at which nothing listens. */
export const freeAddress = (): string => `127.${randomInt(1, 255)}.${randomInt(0, 256)}.${randomInt(1, 255)}`

export async function serve(handler: Handler, address = freeAddress()): Promise<Loopback> {
  const server = createServer((request, response) => void handler(request, response))
  return listening(server, address)
}

/** Takes connections and says what it likes to them; nothing by default. */
export async function serveRaw(onConnection: (socket: Socket) => void = () => undefined): Promise<Loopback> {
  const server = createTcpServer()
  const raw = await listening(server, freeAddress())
  server.on('connection', onConnection)
  return raw
}

async function listening(server: ReturnType<typeof createTcpServer>, address: string): Promise<Loopback> {
  const connections: Socket[] = []
  server.on('connection', (socket: Socket) => {
    connections.push(socket)
    socket.on('error', () => undefined)
    // Read on, or the other side's end would not be noticed.
    socket.resume()
  })
  server.listen(agentPort, address)
  await once(server, 'listening')
  return {
    address,
    connections,
    disconnected: async () => {
      await Promise.all(connections.map((socket) => closed(socket)))
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of connections) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => {
    if (socket.closed) resolve()
    else socket.once('close', () => resolve())
  })
