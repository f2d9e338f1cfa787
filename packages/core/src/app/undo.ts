import type { Log } from '../ports/platform.ts'

/**
 * What was acquired, with its release on the next line. Leaving the scope without `release()` undoes everything, last first;
 * an undo that fails is logged and never hides the error that caused it.
 */
export class Undo implements AsyncDisposable {
  readonly #log: Log
  #steps: { readonly name: string; readonly undo: () => Promise<void> | void }[] = []

  constructor(log: Log) {
    this.#log = log
  }

  add(name: string, undo: () => Promise<void> | void): void {
    this.#steps.push({ name, undo })
  }

  /** All went well: keep what was made. */
  release(): void {
    this.#steps = []
  }

  /** All went well so far: what was made is another's from now on. */
  take(): Undo {
    const taken = new Undo(this.#log)
    taken.#steps = this.#steps
    this.#steps = []
    return taken
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const step of this.#steps.toReversed()) {
      try {
        await step.undo()
      } catch (error) {
        this.#log.warn({ step: step.name, error }, 'an undo failed')
      }
    }
  }
}
