import type { TorporError } from '@torpor/contract'
import type { ObservedExecution } from '@torpor/core'

export type Verb =
  | 'boot'
  | 'restore'
  | 'released'
  | 'flush'
  | 'prefetch'
  | 'freeze'
  | 'thaw'
  | 'capture'
  | 'captureFiles'
  | 'space'
  | 'compact'
  | 'setEgress'
  | 'destroy'
  | 'list'
  | 'stats'

/** One call that reached the engine. */
export interface VerbCall {
  readonly verb: Verb
  /** Undefined for `list`, and for what is about an image. */
  readonly execution: string | undefined
}

/** A call that the test holds back. */
export interface Held {
  /** Resolves with its execution when the call has come. */
  readonly reached: Promise<string | undefined>
  release(): void
}

type Step = (execution: string | undefined) => Promise<void>
type List = ObservedExecution[]

/** What goes wrong, as the test orders it. Orders of one verb are used up one per call, in the order they were given. */
export class FakeFaults {
  readonly #steps = new Map<Verb, Step[]>()
  #lie: (truth: List) => List = (truth) => truth

  /** The next `times` calls of `verb` fail, without effect. */
  failNext(verb: Verb, error: TorporError, times = 1): void {
    for (let count = 0; count < times; count += 1) this.#order(verb, () => Promise.reject(error))
  }

  /** The next call of `verb` waits until it is released. */
  hold(verb: Verb): Held {
    const reached = Promise.withResolvers<string | undefined>()
    const released = Promise.withResolvers<void>()
    this.#order(verb, (execution) => {
      reached.resolve(execution)
      return released.promise
    })
    return { reached: reached.promise, release: () => released.resolve() }
  }

  /** From now on `list` answers what `edit` makes of the truth. */
  lieInList(edit: (truth: ObservedExecution[]) => ObservedExecution[]): void {
    this.#lie = edit
  }

  /** Nothing goes wrong any more; calls that are held stay held. */
  clear(): void {
    this.#steps.clear()
    this.#lie = (truth) => truth
  }

  /** For the engine: takes the next order of `verb`. */
  async pass({ verb, execution }: VerbCall): Promise<void> {
    await this.#steps.get(verb)?.shift()?.(execution)
  }

  /** For the engine. */
  told(truth: ObservedExecution[]): ObservedExecution[] {
    return this.#lie(truth)
  }

  #order(verb: Verb, step: Step): void {
    const steps = this.#steps.get(verb) ?? []
    steps.push(step)
    this.#steps.set(verb, steps)
  }
}
