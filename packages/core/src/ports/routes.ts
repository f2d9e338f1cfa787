import type { Route } from '@torpor/contract'

/** The edge's table, fed by the use cases. */
export interface Routes {
  /** Adds or replaces the route; requests reach the sandbox from now on. */
  publish(route: Route): void
  /** No new request gets in; open upstream connections are cut. */
  suspend(sandboxId: string): void
  /** As `suspend`, and the sandbox is forgotten. */
  withdraw(sandboxId: string): void
}
