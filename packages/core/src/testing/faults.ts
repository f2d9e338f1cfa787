type Step = () => Promise<void>

/** A step that the test stops in the middle. */
export interface Held {
  /** Resolves when the step is reached. */
  readonly reached: Promise<void>
  release(): void
}

/** What goes wrong outside the engine, as the test orders it: by name of a step, one order per call. */
export class Faults<Name extends string> {
  readonly #orders = new Map<Name, Step[]>()
  #stopped = false

  failNext(name: Name, error: Error): void {
    this.#order(name, () => Promise.reject(error))
  }

  hold(name: Name): Held {
    const reached = Promise.withResolvers<void>()
    const released = Promise.withResolvers<void>()
    this.#order(name, () => {
      reached.resolve()
      return released.promise
    })
    return { reached: reached.promise, release: () => released.resolve() }
  }

  /** The server died: nothing of it goes on from here. */
  stop(): void {
    this.#stopped = true
  }

  /** For the adapter: takes the next order. */
  async pass(name: Name): Promise<void> {
    await this.#orders.get(name)?.shift()?.()
    if (this.#stopped) await new Promise<never>(() => undefined)
  }

  #order(name: Name, step: Step): void {
    this.#orders.set(name, [...(this.#orders.get(name) ?? []), step])
  }
}
