import { TorporError } from '@torpor/contract'

import type { Action } from '../domain/transitions.ts'

interface InProgress {
  readonly action: Action
  readonly abort: AbortController
  readonly settled: Promise<void>
}

/**
 * One transition at a time per sandbox. A second caller of the same action joins the one in progress; another action waits
 * for its end and then decides anew; `kill` aborts it, and goes before all who wait.
 */
export class Transitions {
  readonly #inProgress = new Map<string, InProgress>()

  /** Runs `work` alone, or joins. `work` must look at the record itself: it may have changed while this call waited. */
  async run(id: string, action: Action, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    let current = this.#inProgress.get(id)
    while (current) {
      if (current.action === action) return current.settled
      if (action === 'kill') return this.#overtake(id, current, work)
      await current.settled.catch(() => undefined)
      current = this.#inProgress.get(id)
    }
    return this.#start(id, action, work)
  }

  /** What is being done to the sandbox now. */
  current(id: string): Action | undefined {
    return this.#inProgress.get(id)?.action
  }

  /** The sandboxes to which it is being done now; the one whose work begins is not among them before its first wait. */
  doing(action: Action): string[] {
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

  #overtake(id: string, current: InProgress, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    current.abort.abort(new TorporError('not_found', `Sandbox "${id}" was killed`))
    return this.#start(id, 'kill', async (signal) => {
      await current.settled.catch(() => undefined)
      await work(signal)
    })
  }

  #start(id: string, action: Action, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const abort = new AbortController()
    const settled = work(abort.signal).finally(() => {
      if (this.#inProgress.get(id)?.abort === abort) this.#inProgress.delete(id)
    })
    this.#inProgress.set(id, { action, abort, settled })
    return settled
  }
}
