import { once } from 'node:events'
import { type RequestListener, type Server, createServer } from 'node:http'
import type { Socket } from 'node:net'

/**
 * An HTTP server that can be stopped between two instructions: frozen, it still accepts connections (the machine does that for a
 * process that stands still) but neither answers nor goes on with an answer.
 */
export class FreezableServer {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #thawed: PromiseWithResolvers<void> | undefined
  #corked: Socket[] = []
  #closed = false

  constructor(handler: RequestListener) {
    this.#server = createServer((request, response) => {
      void this.#running().then(() => (this.#closed ? request.socket.destroy() : handler(request, response)))
    })
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  /** For upgrades. */
  get server(): Server {
    return this.#server
  }

  /** @throws the system's error, `EADDRINUSE` as a rule. */
  async listen(port: number, address: string): Promise<void> {
    this.#server.listen(port, address)
    await once(this.#server, 'listening')
  }

  freeze(): void {
    this.#thawed = Promise.withResolvers()
    this.#corked = [...this.#sockets]
    for (const socket of this.#corked) socket.cork()
  }

  thaw(): void {
    for (const socket of this.#corked) socket.uncork()
    this.#corked = []
    this.#thawed?.resolve()
    this.#thawed = undefined
  }

  /** Ends it with its connections, in any state. */
  async close(): Promise<void> {
    this.#closed = true
    for (const socket of this.#sockets) socket.destroy()
    this.#thawed?.resolve()
    if (!this.#server.listening) return
    this.#server.close()
    await once(this.#server, 'close')
  }

  async #running(): Promise<void> {
    while (this.#thawed && !this.#closed) await this.#thawed.promise
  }
}
