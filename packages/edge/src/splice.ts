import { type IncomingMessage, request as send } from 'node:http'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream'

import type { Admitted } from './admission.ts'
import { dial } from './dial.ts'
import type { Exchange } from './exchange.ts'
import { answerHeaders, requestHeaders } from './headers.ts'
import type { EdgeLimits } from './limits.ts'
import { brokenAnswer, portClosed } from './refusals.ts'

/** A connection that the HTTP server has given away. */
export interface ClientSide {
  readonly socket: Socket
  /** What of it was read already. */
  readonly head: Buffer
}

/**
 * Asks a sandbox for an upgraded connection (WebSocket or any other). Only after its 101 are the two connections joined: one
 * joined earlier would let requests past the checks. Another answer is passed on, and ends the connection.
 */
export async function splice(exchange: Exchange, client: ClientSide, admitted: Admitted, limits: EdgeLimits): Promise<void> {
  const { route, port } = admitted
  const upstream = await dial(route, port, limits.connectMilliseconds).catch(() => undefined)
  if (!upstream) return exchange.refuse(portClosed(route.sandboxId, port))
  if (exchange.isOver) return void upstream.destroy()
  ask(exchange, client, admitted, upstream)
}

function ask(exchange: Exchange, client: ClientSide, { route, port, path }: Admitted, upstream: Socket): void {
  const { request } = exchange
  const headers = [...requestHeaders(request, route, port), 'Connection', 'Upgrade', 'Upgrade', request.headers.upgrade ?? '']
  const asked = send({ createConnection: () => upstream, method: request.method, path, headers, setHost: false })
  exchange.onOver(() => upstream.destroy())
  asked.once('upgrade', (answer: IncomingMessage, _: unknown, rest: Buffer) => join(exchange, answer, upstream, client, rest))
  asked.once('response', (answer) => passOn(exchange, answer))
  asked.on('error', () => exchange.refuse(brokenAnswer(route.sandboxId, port)))
  asked.end()
}

/** From here on bytes are bytes; what came too early on either side goes first. */
function join(exchange: Exchange, answer: IncomingMessage, upstream: Socket, { socket: client, head }: ClientSide, rest: Buffer): void {
  if (exchange.isOver) return void upstream.destroy()
  exchange.upgraded()
  client.write(startLine(answer), 'latin1')
  if (rest.length > 0) client.write(rest)
  if (head.length > 0) upstream.write(head)
  client.setTimeout(0).setKeepAlive(true)
  // Those of the servers, of TLS and of two pipelines are no leak.
  for (const socket of [client, upstream]) socket.setMaxListeners(20)
  pipeline(client, upstream, () => undefined)
  pipeline(upstream, client, () => undefined)
  upstream.once('close', () => client.destroy())
}

/** The head of a 101, as the sandbox wrote it. */
function startLine({ statusMessage, rawHeaders }: IncomingMessage): string {
  const lines = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1] ?? ''}\r\n`] : []))
  return `HTTP/1.1 101 ${statusMessage ?? ''}\r\n${lines.join('')}\r\n`
}

function passOn({ answer }: Exchange, given: IncomingMessage): void {
  answer.isLast()
  answer.begin(given.statusCode ?? 502, given.statusMessage ?? '', answerHeaders(given.rawHeaders))
  pipeline(given, answer.body, (error) => {
    if (error) answer.abort()
  })
}
