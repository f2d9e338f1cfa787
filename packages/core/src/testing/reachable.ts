import type { Route } from '@torpor/contract'

import type { Routes } from '../ports/routes.ts'

/** What the edge would know. */
export class Reachable implements Routes {
  readonly #routes = new Map<string, Route>()
  /** Ids in the order in which their connections were cut. */
  readonly cut: string[] = []

  publish(route: Route): void {
    this.#routes.set(route.sandboxId, route)
  }

  suspend(sandboxId: string): void {
    this.cut.push(sandboxId)
    const route = this.#routes.get(sandboxId)
    if (route) this.#routes.set(sandboxId, { ...route, address: null })
  }

  withdraw(sandboxId: string): void {
    this.cut.push(sandboxId)
    this.#routes.delete(sandboxId)
  }

  /** undefined: the edge does not know the sandbox; without an address: it sleeps. */
  of(sandboxId: string): Route | undefined {
    return this.#routes.get(sandboxId)
  }
}
