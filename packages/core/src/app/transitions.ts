import { TorporError } from '@torpor/contract'

import { type Lasting, meet } from '../domain/transitions.ts'

type Work<T> = (signal: AbortSignal) => Promise<T>

interface InProgress {
  readonly action: Lasting
  readonly abort: AbortController
  readonly settled: Promise<void>
}

/**
 * One transition at a time per sandbox. A second caller of the same action joins the one in progress; another action waits
 * for its end and then decides anew; `kill` aborts it, and goes before all who wait.
 */
export class Transitions {
  readonly #inProgress = new Map<string, InProgress>()

  /** Resolves when the transition is over; rejects with its error, or `not_found` when a kill overtook it. */
  async run(id: string, action: Lasting, work: Work<void>): Promise<void> {
    let current = this.#inProgress.get(id)
    while (current) {
      const meeting = meet(current.action, action)
      if (meeting === 'joins') return current.settled
      if (meeting === 'overtakes') return this.#overtake(id, current, work)
      await current.settled.catch(() => undefined)
      current = this.#inProgress.get(id)
    }
    return this.#start(id, action, work)
  }

  /** As `run`, but never joins: each caller has a result of its own. */
  async queue<T>(id: string, action: Exclude<Lasting, 'kill'>, work: Work<T>): Promise<T> {
    while (this.#inProgress.has(id)) await this.settled(id)
    return this.#start(id, action, work)
  }

  /** The action in progress, if any. */
  current(id: string): Lasting | undefined {
    return this.#inProgress.get(id)?.action
  }

  /** The sandboxes to which it is being done now; the one whose work begins is not among them before its first wait. */
  doing(action: Lasting): string[] {
    return [...this.#inProgress].filter(([, entry]) => entry.action === action).map(([id]) => id)
  }

  /** Resolves when no transition is in progress any more; for an orderly stop. */
  async idle(): Promise<void> {
    await Promise.allSettled([...this.#inProgress.values()].map((entry) => entry.settled))
  }

  /** Resolves when what is being done to the sandbox now has ended, well or not. */
  async settled(id: string): Promise<void> {
    await this.#inProgress.get(id)?.settled.catch(() => undefined)
  }

  #overtake(id: string, current: InProgress, work: Work<void>): Promise<void> {
    current.abort.abort(new TorporError('not_found', `Sandbox "${id}" was killed`))
    return this.#start(id, 'kill', async (signal) => {
      await current.settled.catch(() => undefined)
      await work(signal)
    })
  }

  #start<T>(id: string, action: Lasting, work: Work<T>): Promise<T> {
    const abort = new AbortController()
    const result = work(abort.signal)
      .catch((error: unknown) => {
        // What a kill took away fails in many ways; the caller hears of the kill.
        throw abort.signal.aborted ? abort.signal.reason : error
      })
      .finally(() => {
        if (this.#inProgress.get(id)?.abort === abort) this.#inProgress.delete(id)
      })
    const settled = result.then(() => undefined)
    // Its error is told to the caller; who waits or joins hears it besides.
    settled.catch(() => undefined)
    this.#inProgress.set(id, { action, abort, settled })
    return result
  }
}
