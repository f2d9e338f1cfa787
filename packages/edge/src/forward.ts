import { PassThrough } from 'node:stream'

import type { Agent, Dispatcher } from 'undici'

import type { Admitted } from './admission.ts'
import type { ClientRequest } from './client-request.ts'
import type { Exchange } from './exchange.ts'
import { requestHeaders } from './headers.ts'
import { Relay } from './relay.ts'

/** Sends a request to a port of an awake sandbox and streams the answer back. */
export function forward(exchange: Exchange, { route, port, path }: Admitted, agent: Agent): void {
  const { request, answer } = exchange
  if (request.headers.expect !== undefined) answer.goOn()
  const options: Dispatcher.DispatchOptions = {
    origin: `http://${route.address}:${port}`,
    path,
    method: request.method ?? 'GET',
    headers: requestHeaders(request, route, port),
    body: bodyOf(request),
  }
  const send = (relay: Relay): void => void agent.dispatch(options, relay)
  send(new Relay(exchange, { sandboxId: route.sandboxId, port, retry: options.body ? undefined : send }))
}

/**
 * The request's body behind a stream of its own: when the sandbox answers before it has read everything, its side is
 * destroyed, and the client's connection must not be.
 */
function bodyOf({ hasBody, body: source, isComplete }: ClientRequest): PassThrough | null {
  if (!hasBody) return null
  const body = new PassThrough()
  source.pipe(body)
  source.once('close', () => {
    if (!isComplete()) body.destroy()
  })
  body.once('close', () => {
    source.unpipe(body)
    // Reads the rest away, so that the client hears the answer instead of waiting to send.
    source.resume()
  })
  body.on('error', () => undefined)
  return body
}
