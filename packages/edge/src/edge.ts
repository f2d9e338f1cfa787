import { type IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

import { agentPort } from '@torpor/contract'

import type { ActivityTable } from './activity-table.ts'
import { type Admitted, admit, isHealthProbe } from './admission.ts'
import { Http1Answer, Http2Answer } from './answer.ts'
import { type ClientRequest, type Message, clientRequest, headOf } from './client-request.ts'
import { Connections } from './connections.ts'
import { Exchange } from './exchange.ts'
import { forward } from './forward.ts'
import { type EdgeLimits, defaultLimits } from './limits.ts'
import { internalFailure, noUpgrade, tooManyRequests } from './refusals.ts'
import type { RouteLookup } from './route-table.ts'
import { splice } from './splice.ts'
import { portOf, targetOf } from './target.ts'
import { type Wake, WakeQueue } from './wake-queue.ts'

/** The operator's log, as far as the edge writes to it. */
export interface EdgeLog {
  error(context: Readonly<Record<string, unknown>>, message: string): void
}

export interface EdgeOptions {
  readonly routes: RouteLookup
  readonly wake: Wake
  /** Is told of every exchange. */
  readonly activity: ActivityTable
  /** Host names of sandboxes end with it; it may have a port. */
  readonly domain: string
  readonly log: EdgeLog
  readonly limits?: Partial<EdgeLimits>
}

/** The data plane: takes requests for sandboxes, wakes those, and streams both ways. */
export interface Edge {
  /** Whether a request is for a sandbox rather than for the control plane (protocol.md 1.4). */
  match(request: Message): boolean
  /** Answers a request that `match`es. Call it for `checkContinue` as well. */
  handle(request: IncomingMessage, response: ServerResponse): void
  handle(request: Http2ServerRequest, response: Http2ServerResponse): void
  /**
   * Whether a request with an Upgrade header is to be upgraded; if not, it is an ordinary one that happens to have the header
   * (clients offer h2c with every request). For a server's `shouldUpgradeCallback`.
   */
  shouldUpgrade(request: IncomingMessage): boolean
  /** As `handle`, for a server's `upgrade` event. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
  /** Ends every request and connection of a sandbox; happens by itself when its route is suspended or withdrawn. */
  cut(sandboxId: string): void
  /** Cuts everything. */
  close(): Promise<void>
}

export function createEdge({ routes, wake, activity, domain, log, limits: given }: EdgeOptions): Edge {
  const limits = { ...defaultLimits, ...given }
  const connections = new Connections(limits)
  const queue = new WakeQueue(wake, limits)
  const cut = (sandboxId: string): void => {
    const isGone = routes.byId(sandboxId) === undefined
    connections.cut(sandboxId, isGone)
    if (isGone) activity.forget(sandboxId)
  }
  const unsubscribe = routes.onCut(cut)

  function serve(exchange: Exchange, send: (admitted: Admitted) => void): void {
    const { request } = exchange
    const target = targetOf(request, domain)
    if (!target) return exchange.refuse(internalFailure)
    const admission = admit(request, target, routes)
    if ('refusal' in admission) return exchange.refuse(admission.refusal)
    const { sandboxId, address } = admission.route
    if (!connections.enter(sandboxId, exchange)) return exchange.refuse(tooManyRequests(sandboxId, limits.requestsPerSandbox))
    if (address !== null) return sendAwake(exchange, admission, send)
    queue.hold(exchange, admission, (route) => sendAwake(exchange, { ...admission, route }, send))
  }

  function sendAwake(exchange: Exchange, admitted: Admitted, send: (admitted: Admitted) => void): void {
    exchange.isWaiting = false
    if (!isHealthProbe(admitted)) exchange.answer.body.once('close', activity.begin(admitted.route.sandboxId))
    try {
      send(admitted)
    } catch (error) {
      fail(exchange, admitted, error)
    }
  }

  function fail(exchange: Exchange, { route: { sandboxId }, port }: Admitted, error: unknown): void {
    log.error({ sandboxId, port, error }, 'a request could not be sent to its sandbox')
    exchange.refuse(internalFailure)
  }

  return {
    match: (request) => targetOf(headOf(request), domain) !== undefined,
    handle: (message: Message, response: ServerResponse | Http2ServerResponse) => {
      const exchange = new Exchange(
        clientRequest(message),
        response instanceof ServerResponse ? new Http1Answer(response) : new Http2Answer(response),
      )
      serve(exchange, (admitted) => forward(exchange, admitted, connections.agentOf(admitted.route)))
    },
    shouldUpgrade: (message) => {
      const request = clientRequest(message)
      const target = targetOf(request, domain)
      return target !== undefined && canUpgrade(request, portOf(target))
    },
    upgrade: (message, socket, head) => {
      if (!(socket instanceof Socket)) return void socket.destroy()
      const exchange = new Exchange(clientRequest(message), new Http1Answer(responseOn(message, socket)))
      socket.once('end', () => exchange.leftUnanswered())
      serve(exchange, (admitted) => {
        if (!canUpgrade(exchange.request, admitted.port)) return exchange.refuse(noUpgrade(admitted.route.sandboxId))
        splice(exchange, { socket, head }, admitted, limits).catch((error: unknown) => fail(exchange, admitted, error))
      })
    },
    cut,
    close: async () => {
      unsubscribe()
      connections.close()
    },
  }
}

/**
 * Not on the port of the agent: joined to its connection, a client could call what is reserved. Not with a body: where that
 * ends, only an HTTP parser knows.
 */
const canUpgrade = ({ hasBody }: ClientRequest, port: number): boolean => port !== agentPort && !hasBody

/** An answer on a connection that the HTTP server has given away; its last one. */
function responseOn(request: IncomingMessage, socket: Socket): ServerResponse {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.once('finish', () => socket.destroySoon())
  socket.on('error', () => socket.destroy())
  return response
}
