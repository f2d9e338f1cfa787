import { type Server, type Socket, createServer } from 'node:net'

import { doors } from './firewall.ts'

/** More connections of all sandboxes together are refused. */
const mostConnections = 2048

/** Takes the connections that sandboxes make to the platform's own names (hairpin) and hands them to whoever serves those. */
export class Hairpin {
  readonly #address: string
  #server: Server | undefined
  #accept: (connection: Socket) => void = (connection) => void connection.destroy()

  /** @param address the resolver's, which has to exist. */
  constructor(address: string) {
    this.#address = address
  }

  /** Until this is called, connections are closed at once. */
  onConnection(accept: (connection: Socket) => void): void {
    this.#accept = accept
  }

  async start(): Promise<void> {
    const server = createServer({ noDelay: true }, (connection) => this.#accept(connection))
    server.maxConnections = mostConnections
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(doors.hairpin, this.#address, resolve)
    })
    this.#server = server
  }

  /** Takes no new connection; the open ones belong to whoever took them. */
  close(): void {
    this.#server?.close()
  }
}
