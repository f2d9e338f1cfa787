import type { IncomingMessage } from 'node:http'
import { PassThrough } from 'node:stream'

import type { Agent, Dispatcher } from 'undici'

import type { Admitted } from './admission.ts'
import type { Exchange } from './exchange.ts'
import { hasBody, requestHeaders } from './headers.ts'
import { Relay } from './relay.ts'

/** Sends a request to a port of an awake sandbox and streams the answer back. */
export function forward(exchange: Exchange, { route, port, path }: Admitted, agent: Agent): void {
  const { request, response } = exchange
  if (request.headers.expect !== undefined) response.writeContinue()
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
function bodyOf(request: IncomingMessage): PassThrough | null {
  if (!hasBody(request)) return null
  const body = new PassThrough()
  request.pipe(body)
  request.once('close', () => {
    if (!request.complete) body.destroy()
  })
  body.once('close', () => {
    request.unpipe(body)
    // Reads the rest away, so that the client hears the answer instead of waiting to send.
    request.resume()
  })
  body.on('error', () => undefined)
  return body
}
