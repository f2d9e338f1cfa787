import type { Route } from '@torpor/contract'

import type { Admitted } from './admission.ts'
import type { Exchange } from './exchange.ts'
import type { EdgeLimits } from './limits.ts'
import { sandboxNotFound, tooManyWaiting, wakeFailed, wakeTimedOut } from './refusals.ts'

/**
 * Brings a sleeping sandbox back for a request. undefined: it stays asleep, the client hears 502. Errors: `not_found` (502),
 * `conflict` (409), `exhausted` (429), `timed_out` (504), others by their status.
 */
export type Wake = (sandboxId: string, request: { readonly port: number }) => Promise<Route | undefined>

/**
 * Holds requests while their sandboxes wake: not too many, not too long, and one waking for all that wait. Nothing is read of
 * a body meanwhile but what the connection's own buffer takes.
 */
export class WakeQueue {
  readonly #wake: Wake
  readonly #limits: EdgeLimits
  readonly #waiting = new Map<string, number>()
  readonly #wakings = new Map<string, Promise<Route | undefined>>()

  constructor(wake: Wake, limits: EdgeLimits) {
    this.#wake = wake
    this.#limits = limits
  }

  /** Calls `proceed` with the route of the woken sandbox, or answers; does neither when the client leaves. */
  hold(exchange: Exchange, { route: { sandboxId }, port }: Admitted, proceed: (route: Route) => void): void {
    const { waitingPerSandbox, wakeTimeoutMilliseconds } = this.#limits
    if ((this.#waiting.get(sandboxId) ?? 0) >= waitingPerSandbox) return exchange.refuse(tooManyWaiting(sandboxId, waitingPerSandbox))
    const free = this.#enter(sandboxId)
    const timer = setTimeout(() => exchange.refuse(wakeTimedOut(sandboxId, wakeTimeoutMilliseconds)), wakeTimeoutMilliseconds)
    const leave = (): void => {
      clearTimeout(timer)
      free()
    }
    exchange.onOver(leave)
    const goOn = async (): Promise<void> => {
      const route = await this.#join(sandboxId, port)
      if (exchange.isOver) return
      leave()
      if (!route || route.address === null) exchange.refuse(sandboxNotFound(sandboxId))
      else proceed(route)
    }
    goOn().catch((error: unknown) => exchange.refuse(wakeFailed(sandboxId, error)))
  }

  /** Gives the function that frees the place, which changes nothing when called again. */
  #enter(sandboxId: string): () => void {
    this.#waiting.set(sandboxId, (this.#waiting.get(sandboxId) ?? 0) + 1)
    let isIn = true
    return () => {
      if (!isIn) return
      isIn = false
      const left = (this.#waiting.get(sandboxId) ?? 1) - 1
      if (left > 0) this.#waiting.set(sandboxId, left)
      else this.#waiting.delete(sandboxId)
    }
  }

  /** Per port, because the waking may depend on it. Clients that come and go leave one waking behind, not many. */
  #join(sandboxId: string, port: number): Promise<Route | undefined> {
    const key = `${sandboxId}:${port}`
    const known = this.#wakings.get(key)
    if (known) return known
    const waking = this.#wake(sandboxId, { port }).finally(() => this.#wakings.delete(key))
    this.#wakings.set(key, waking)
    return waking
  }
}
