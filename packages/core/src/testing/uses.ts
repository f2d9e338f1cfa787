import type { Use } from '../domain/idle.ts'
import type { Activity } from '../ports/activity.ts'

/** The use of sandboxes as the test orders it. */
export class Uses implements Activity {
  readonly #uses = new Map<string, Use>()
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  of(sandboxId: string): Use | undefined {
    return this.#uses.get(sandboxId)
  }

  touch(sandboxId: string): void {
    this.set(sandboxId, this.#uses.get(sandboxId)?.open ?? 0)
  }

  /** So many exchanges are open from now on. */
  set(sandboxId: string, open: number): void {
    this.#uses.set(sandboxId, { open, lastAt: this.#now() })
  }
}
