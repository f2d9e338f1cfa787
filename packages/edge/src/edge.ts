import { type IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

import { type Route, agentPort } from '@torpor/contract'

import type { ActivityTable } from './activity-table.ts'
import { type Admitted, admit, isHealthProbe } from './admission.ts'
import { Connections } from './connections.ts'
import { Exchange } from './exchange.ts'
import { forward } from './forward.ts'
import { hasBody } from './headers.ts'
import { type EdgeLimits, defaultLimits } from './limits.ts'
import { internalFailure, noUpgrade, sandboxNotFound, tooManyRequests, wakeFailed } from './refusals.ts'
import type { RouteLookup } from './route-table.ts'
import { splice } from './splice.ts'
import { portOf, targetOf } from './target.ts'

/**
 * Brings a sleeping sandbox back for a request. undefined: it stays asleep, the client hears 502. Errors: `not_found` (502),
 * `conflict` (409), `exhausted` (429), `timed_out` (504), others by their status.
 */
export type Wake = (sandboxId: string, request: { readonly port: number }) => Promise<Route | undefined>

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
  match(request: IncomingMessage): boolean
  /** Answers a request that `match`es. Call it for `checkContinue` as well. */
  handle(request: IncomingMessage, response: ServerResponse): void
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
    wakeFirst(exchange, admission, send).catch((error: unknown) => exchange.refuse(wakeFailed(sandboxId, error)))
  }

  async function wakeFirst(exchange: Exchange, admission: Admitted, send: (admitted: Admitted) => void): Promise<void> {
    const { route, port } = admission
    const woken = await wake(route.sandboxId, { port })
    if (exchange.isOver) return
    if (!woken || woken.address === null) return exchange.refuse(sandboxNotFound(route.sandboxId))
    sendAwake(exchange, { ...admission, route: woken }, send)
  }

  function sendAwake(exchange: Exchange, admitted: Admitted, send: (admitted: Admitted) => void): void {
    exchange.isWaiting = false
    if (!isHealthProbe(admitted)) exchange.response.once('close', activity.begin(admitted.route.sandboxId))
    try {
      send(admitted)
    } catch (error) {
      log.error({ sandboxId: admitted.route.sandboxId, port: admitted.port, error }, 'a request could not be sent to its sandbox')
      exchange.refuse(internalFailure)
    }
  }

  return {
    match: (request) => targetOf(request, domain) !== undefined,
    handle: (request, response) => {
      const exchange = new Exchange(request, response)
      serve(exchange, (admitted) => forward(exchange, admitted, connections.agentOf(admitted.route.sandboxId)))
    },
    shouldUpgrade: (request) => {
      const target = targetOf(request, domain)
      return target !== undefined && canUpgrade(request, portOf(target))
    },
    upgrade: (request, socket, head) => {
      if (!(socket instanceof Socket)) return void socket.destroy()
      const exchange = new Exchange(request, responseOn(request, socket))
      serve(exchange, (admitted) => {
        if (canUpgrade(request, admitted.port)) splice(exchange, head, admitted, limits)
        else exchange.refuse(noUpgrade(admitted.route.sandboxId))
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
const canUpgrade = (request: IncomingMessage, port: number): boolean => port !== agentPort && !hasBody(request)

/** An answer on a connection that the HTTP server has given away; its last one. */
function responseOn(request: IncomingMessage, socket: Socket): ServerResponse {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket)
  response.once('finish', () => socket.destroySoon())
  socket.on('error', () => socket.destroy())
  return response
}
