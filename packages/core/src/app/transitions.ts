import { TorporError } from '@torpor/contract'

import type { Action } from '../domain/transitions.ts'

interface InProgress {
  readonly action: Action
  readonly abort: AbortController
  readonly settled: Promise<void>
}

/**
 * One transition at a time per sandbox. A second caller of the same action joins the one in progress; another action waits
 * for its end and then decides anew; `kill` aborts it first.
 */
export class Transitions {
  readonly #inProgress = new Map<string, InProgress>()

  /** Runs `work` alone, or joins. `work` must look at the record itself: it may have changed while this call waited. */
  async run(id: string, action: Action, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    let current = this.#inProgress.get(id)
    while (current) {
      if (current.action === action) return current.settled
      if (action === 'kill') current.abort.abort(new TorporError('not_found', `Sandbox "${id}" was killed`))
      await current.settled.catch(() => undefined)
      current = this.#inProgress.get(id)
    }
    return this.#start(id, action, work)
  }

  /** What is being done to the sandbox now. */
  current(id: string): Action | undefined {
    return this.#inProgress.get(id)?.action
  }

  /** Resolves when no transition is in progress any more; for an orderly stop. */
  async idle(): Promise<void> {
    await Promise.allSettled([...this.#inProgress.values()].map((entry) => entry.settled))
  }

  #start(id: string, action: Action, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const abort = new AbortController()
    const settled = work(abort.signal).finally(() => this.#inProgress.delete(id))
    this.#inProgress.set(id, { action, abort, settled })
    return settled
  }
}
