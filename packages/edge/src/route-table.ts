import type { Route } from '@torpor/contract'

import { sameSecret, tokenHash } from './constant-time.ts'
import { type SignedFile, signatureOf } from './signed-file.ts'

/** How the edge finds a sandbox. */
export interface RouteLookup {
  byId(sandboxId: string): Route | undefined
  byAccessToken(token: string): Route | undefined
  /** Recomputes the signature with the token of every secured sandbox (protocol.md 1.4, 3.6). */
  bySignature(file: SignedFile): Route | undefined
  /** Tells when nothing may flow to a sandbox any more. Gives the function that unsubscribes. */
  onCut(listener: (sandboxId: string) => void): () => void
}

/** All sandboxes that exist, running or asleep, in memory; fed by the use cases. */
export class RouteTable implements RouteLookup {
  readonly #routes = new Map<string, Route>()
  readonly #idByToken = new Map<string, string>()
  readonly #listeners = new Set<(sandboxId: string) => void>()

  /** Adds or replaces a route; requests reach the sandbox from now on. A changed address cuts what went to the old one. */
  publish(route: Route): void {
    const former = this.#routes.get(route.sandboxId)
    if (former) this.#forget(former)
    this.#routes.set(route.sandboxId, route)
    if (route.accessToken !== null) this.#idByToken.set(tokenHash(route.accessToken), route.sandboxId)
    if (former && former.address !== null && former.address !== route.address) this.#cut(route.sandboxId)
  }

  /** No new request gets in; open connections are cut. The sandbox stays known, to be woken. */
  suspend(sandboxId: string): void {
    const route = this.#routes.get(sandboxId)
    if (!route) return
    this.#routes.set(sandboxId, { ...route, address: null })
    this.#cut(sandboxId)
  }

  /** As `suspend`, and the sandbox is forgotten. */
  withdraw(sandboxId: string): void {
    const route = this.#routes.get(sandboxId)
    if (!route) return
    this.#forget(route)
    this.#cut(sandboxId)
  }

  byId(sandboxId: string): Route | undefined {
    return this.#routes.get(sandboxId)
  }

  byAccessToken(token: string): Route | undefined {
    const id = this.#idByToken.get(tokenHash(token))
    return id === undefined ? undefined : this.#routes.get(id)
  }

  bySignature(file: SignedFile): Route | undefined {
    for (const route of this.#routes.values()) {
      if (route.accessToken !== null && sameSecret(signatureOf(file, route.accessToken), file.signature)) return route
    }
    return undefined
  }

  onCut(listener: (sandboxId: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #forget(route: Route): void {
    this.#routes.delete(route.sandboxId)
    if (route.accessToken !== null) this.#idByToken.delete(tokenHash(route.accessToken))
  }

  #cut(sandboxId: string): void {
    for (const listener of this.#listeners) listener(sandboxId)
  }
}
