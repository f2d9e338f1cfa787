import { randomBytes } from 'node:crypto'
import { type IncomingHttpHeaders, type IncomingMessage, type RequestListener, type Server, createServer, request as send } from 'node:http'

import { type Route, newSandboxId } from '@torpor/contract'

import { ActivityTable } from '../activity-table.ts'
import { type EdgeOptions, createEdge } from '../edge.ts'
import { RouteTable } from '../route-table.ts'

/** A service inside a pretended sandbox: a server on its own loopback address. */
export interface Guest extends AsyncDisposable {
  readonly server: Server
  readonly address: string
  readonly port: number
}

/** An address of 127.0.0.0/8 that nobody else uses, so that guests can have the agent's fixed port. */
export const newAddress = (): string => `127.${[...randomBytes(3)].map((byte) => 1 + (byte % 250)).join('.')}`

export async function startGuest(listener: RequestListener, { address = newAddress(), port = 0 } = {}): Promise<Guest> {
  const server = createServer({ requestTimeout: 0 }, listener)
  const bound = await listen(server, address, port)
  return { server, address, port: bound, [Symbol.asyncDispose]: () => close(server) }
}

/** An edge in front of a table, on a port of its own; it may leave out upgrades that cannot be. */
export async function startEdge({ ignoresUpgrades = false, ...options }: Partial<EdgeOptions> & { ignoresUpgrades?: boolean } = {}) {
  const routes = new RouteTable()
  const log = { error: () => undefined }
  const activity = new ActivityTable()
  const edge = createEdge({ routes, activity, wake: async () => undefined, domain: 'sbx.localhost:3443', log, ...options })
  const shouldUpgradeCallback = (request: IncomingMessage): boolean => !ignoresUpgrades || edge.shouldUpgrade(request)
  const server = createServer({ requestTimeout: 0, shouldUpgradeCallback }, (request, response) => {
    if (edge.match(request)) edge.handle(request, response)
    else response.end('control plane')
  })
  server.on('checkContinue', (request: IncomingMessage, response) => server.emit('request', request, response))
  server.on('upgrade', (request, socket, head) => edge.upgrade(request, socket, head))
  const port = await listen(server, '127.0.0.1', 0)
  const dispose = async (): Promise<void> => {
    await edge.close()
    await close(server)
  }
  return { routes, activity, edge, server, port, [Symbol.asyncDispose]: dispose }
}

export const newRoute = (route: Partial<Route> = {}): Route => ({
  sandboxId: newSandboxId(),
  address: null,
  accessToken: null,
  trafficToken: null,
  maskRequestHost: null,
  ...route,
})

export const routing = ({ sandboxId }: Route, port: number): Record<string, string> => ({
  'E2b-Sandbox-Id': sandboxId,
  'E2b-Sandbox-Port': String(port),
})

export interface Asked {
  readonly method?: string
  readonly path?: string
  readonly headers?: Record<string, string | string[]> | readonly string[]
  readonly body?: string
}

export interface Answered {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly rawHeaders: readonly string[]
  readonly trailers: NodeJS.Dict<string>
  readonly body: string
}

/** One request, as spelled, on a connection of its own. */
export function ask(port: number, { method = 'GET', path = '/', headers = {}, body }: Asked = {}): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const asked = send({ host: '127.0.0.1', port, method, path, headers, agent: false }, (answer) => {
      collect(answer).then((text) => resolve(answeredBy(answer, text)), reject)
    })
    asked.once('error', reject)
    asked.end(body)
  })
}

const answeredBy = ({ statusCode, headers, rawHeaders, trailers }: IncomingMessage, body: string): Answered => ({
  status: statusCode ?? 0,
  headers,
  rawHeaders,
  trailers,
  body,
})

/** A request whose answer is taken piece by piece. */
export function open(port: number, { method = 'GET', path = '/', headers = {}, body }: Asked = {}): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asked = send({ host: '127.0.0.1', port, method, path, headers, agent: false }, resolve)
    asked.once('error', reject)
    asked.end(body)
  })
}

export async function collect(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/** A promise and its ends. */
export const later = <Value>(): PromiseWithResolvers<Value> => Promise.withResolvers<Value>()

async function listen(server: Server, address: string, port: number): Promise<number> {
  const { promise, resolve, reject } = later<void>()
  server.once('error', reject).listen(port, address, resolve)
  await promise
  const bound = server.address()
  return bound !== null && typeof bound === 'object' ? bound.port : port
}

async function close(server: Server): Promise<void> {
  const { promise, resolve } = later<void>()
  server.close(() => resolve())
  server.closeAllConnections()
  await promise
}
