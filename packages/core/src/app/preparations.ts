/** A template that is made while the server serves. */
export interface Preparation {
  readonly name: string
  readonly state: 'preparing' | 'failed'
  /** What is being done, or was when it failed; for users. */
  readonly step: string
  /** Milliseconds since the epoch. */
  readonly since: number
}

/** The templates in preparation, by every name. What is ready is in the store and not here. */
export class Preparations {
  readonly #byName = new Map<string, Preparation>()

  set(names: readonly string[], state: Preparation['state'], step: string, now: number): void {
    for (const name of names) {
      const since = this.#byName.get(name)?.since ?? now
      this.#byName.set(name, { name, state, step, since })
    }
  }

  done(names: readonly string[]): void {
    for (const name of names) this.#byName.delete(name)
  }

  find(name: string): Preparation | undefined {
    return this.#byName.get(name)
  }

  all(): Preparation[] {
    return [...this.#byName.values()]
  }
}
