import { Resolver as Lookup } from 'node:dns/promises'
import { type Server, type Socket, connect, createServer } from 'node:net'
import { pipeline } from 'node:stream/promises'

import { type EgressRules, allowsName } from '@torpor/core'

import { doors } from './firewall.ts'
import { nameInHead, nameInHello } from './shown-name.ts'
import type { Upstreams } from './upstream.ts'

const patienceMilliseconds = 15_000
/** More connections of all sandboxes together are refused. */
const mostConnections = 8192

/** What is said to a client whose name is not allowed: `access_denied` (RFC 8446, 6.2), or an answer. */
const refusals = {
  secure: () => Buffer.from([0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x31]),
  plain: (name: string) => {
    const text = `This sandbox may not reach ${JSON.stringify(name)}: its network.allowOut does not name it.\n`
    return `HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\ncontent-length: ${text.length}\r\nconnection: close\r\n\r\n${text}`
  },
}

export interface NameGateOptions {
  /** Where it listens; the resolver's. */
  readonly address: string
  readonly ownDomain: string | undefined
  readonly upstreams: Upstreams
  readonly rulesOf: (sandbox: string) => EgressRules | undefined
  /** Out of reach for sandboxes, whatever name leads there. */
  readonly unreachable: (address: string) => boolean
}

type Way = 'plain' | 'secure'

/**
 * Takes what sandboxes with rules about names send to ports 80 and 443 of any address, looks which host they ask for, and passes
 * it on to that host, as this machine finds it: the address that the sandbox chose counts for nothing.
 */
export class NameGate {
  readonly #options: NameGateOptions
  readonly #servers: Server[] = []
  readonly #open = new Set<Socket>()

  constructor(options: NameGateOptions) {
    this.#options = options
  }

  async start(): Promise<void> {
    await Promise.all([this.#listen('plain'), this.#listen('secure')])
  }

  /** Ends what goes through it. */
  close(): void {
    for (const server of this.#servers) server.close()
    for (const socket of this.#open) socket.destroy()
  }

  async #listen(way: Way): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (client) => void this.#take(client, way))
    server.maxConnections = mostConnections
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(doors[way], this.#options.address, resolve)
    })
    this.#servers.push(server)
  }

  async #take(client: Socket, way: Way): Promise<void> {
    this.#open.add(client)
    client.on('close', () => this.#open.delete(client))
    // Whatever goes wrong shows as an end of the connection.
    client.on('error', () => undefined)
    const rules = this.#options.rulesOf(client.remoteAddress ?? '')
    const name = rules && (await nameShown(client, way))
    if (!rules || name === undefined || !allowsName(rules, name)) return refuse(client, way, name ?? '')
    const upstream = await this.#reach(name, way)
    if (!upstream || client.destroyed) {
      upstream?.destroy()
      client.destroy()
      return
    }
    await Promise.allSettled([pipeline(client, upstream), pipeline(upstream, client)])
  }

  async #reach(name: string, way: Way): Promise<Socket | undefined> {
    const { address, ownDomain } = this.#options
    const isOwn = ownDomain !== undefined && (name === ownDomain || name.endsWith(`.${ownDomain}`))
    if (isOwn) return way === 'secure' ? reached(address, doors.hairpin) : undefined
    for (const found of await this.#lookUp(name)) {
      const socket = await reached(found, way === 'secure' ? 443 : 80)
      if (socket) return socket
    }
    return undefined
  }

  async #lookUp(name: string): Promise<string[]> {
    const lookup = new Lookup({ timeout: 3000, tries: 2 })
    lookup.setServers(await this.#options.upstreams())
    const found = await lookup.resolve4(name).catch((): string[] => [])
    return found.filter((address) => !this.#options.unreachable(address))
  }
}

async function nameShown(client: Socket, way: Way): Promise<string | undefined> {
  const timer = setTimeout(() => client.destroy(), patienceMilliseconds)
  try {
    return await (way === 'secure' ? nameInHello(client) : nameInHead(client))
  } catch {
    return undefined
  } finally {
    clearTimeout(timer)
  }
}

function refuse(client: Socket, way: Way, name: string): void {
  client.end(refusals[way](name))
  client.resume()
  client.setTimeout(1000, () => client.destroy())
}

function reached(host: string, port: number): Promise<Socket | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, noDelay: true, allowHalfOpen: true })
    const timer = setTimeout(() => socket.destroy(), patienceMilliseconds)
    const done = (result?: Socket): void => {
      clearTimeout(timer)
      resolve(result)
    }
    socket.on('error', () => undefined)
    socket.once('close', () => done())
    socket.once('connect', () => done(socket))
  })
}
