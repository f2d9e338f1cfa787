import type { Route } from '@torpor/contract'
import { Agent, type buildConnector } from 'undici'

import { dial } from './dial.ts'
import type { Exchange } from './exchange.ts'
import type { EdgeLimits } from './limits.ts'

interface SandboxConnections {
  /** Kept-alive connections to its ports; made at the first request, gone with a cut. */
  agent: Agent | undefined
  readonly exchanges: Set<Exchange>
}

/** What is open between clients and sandboxes, so that it can be counted and cut. */
export class Connections {
  readonly #bySandbox = new Map<string, SandboxConnections>()
  readonly #limits: EdgeLimits

  constructor(limits: EdgeLimits) {
    this.#limits = limits
  }

  /** Counts an exchange in until its client has the answer; false when there are too many. */
  enter(sandboxId: string, exchange: Exchange): boolean {
    const { exchanges } = this.#of(sandboxId)
    if (exchanges.size >= this.#limits.requestsPerSandbox) return false
    exchanges.add(exchange)
    exchange.answer.body.once('close', () => {
      exchanges.delete(exchange)
      this.#tidy(sandboxId)
    })
    return true
  }

  /** The pool of connections to one sandbox; connections are per port, and unused ones close after a few seconds. */
  agentOf(route: Route): Agent {
    const connections = this.#of(route.sandboxId)
    connections.agent ??= new Agent({
      connect: connectorOf(route, this.#limits.connectMilliseconds),
      // A command may be silent for hours: the client decides how long it waits (protocol.md 3.7).
      headersTimeout: 0,
      bodyTimeout: 0,
      allowH2: false,
    })
    return connections.agent
  }

  /** Ends everything that flows to a sandbox. Requests that wait for its waking go on, unless it `isGone`. */
  cut(sandboxId: string, isGone: boolean): void {
    const connections = this.#bySandbox.get(sandboxId)
    if (!connections) return
    for (const exchange of connections.exchanges) {
      if (isGone || !exchange.isWaiting) exchange.cut(sandboxId)
    }
    destroy(connections.agent)
    connections.agent = undefined
    this.#tidy(sandboxId)
  }

  /** Cuts every sandbox. */
  close(): void {
    for (const sandboxId of this.#bySandbox.keys()) this.cut(sandboxId, true)
  }

  #of(sandboxId: string): SandboxConnections {
    const known = this.#bySandbox.get(sandboxId)
    if (known) return known
    const connections = { agent: undefined, exchanges: new Set<Exchange>() }
    this.#bySandbox.set(sandboxId, connections)
    return connections
  }

  #tidy(sandboxId: string): void {
    const connections = this.#bySandbox.get(sandboxId)
    if (connections && !connections.agent && connections.exchanges.size === 0) this.#bySandbox.delete(sandboxId)
  }
}

function connectorOf(route: Route, milliseconds: number): buildConnector.connector {
  const connectTo = async (port: number, callback: buildConnector.Callback): Promise<void> => {
    try {
      callback(null, await dial(route, port, milliseconds))
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)), null)
    }
  }
  return ({ port }, callback) => void connectTo(Number(port), callback)
}

/** Destroying never fails in a way that anybody could act on: the requests on it have been answered already. */
const destroy = (agent: Agent | undefined): void => void agent?.destroy().catch(() => undefined)
