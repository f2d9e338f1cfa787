import type { Clock } from '../ports/platform.ts'

interface Timer {
  readonly at: number
  readonly callback: () => void
}

/** Everything that needs no timer and no other process has been done when this resolves. */
export const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve))

/** A clock that stands still until the test moves it. */
export class ManualClock implements Clock {
  #now: number
  readonly #timers = new Set<Timer>()

  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now
  }

  now(): number {
    return this.#now
  }

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.#now + milliseconds, callback }
    this.#timers.add(timer)
    return () => this.#timers.delete(timer)
  }

  /** Milliseconds until the next callback; Infinity when none is wanted. */
  get untilNext(): number {
    return Math.min(...[...this.#timers].map(({ at }) => at - this.#now))
  }

  /** Moves on, one callback after the other; what each begins may ask for the next. */
  async advance(milliseconds: number): Promise<void> {
    await settled()
    const end = this.#now + milliseconds
    for (let next = this.#dueBy(end); next; next = this.#dueBy(end)) {
      this.#now = Math.max(this.#now, next.at)
      this.#timers.delete(next)
      next.callback()
      await settled()
    }
    this.#now = end
  }

  /** Moves on until the work is done, and gives its result. */
  async runUntil<T>(work: Promise<T>): Promise<T> {
    const state = { isDone: false }
    const finished = work.finally(() => (state.isDone = true))
    while (!state.isDone) await this.advance(Number.isFinite(this.untilNext) ? this.untilNext : 0)
    return finished
  }

  #dueBy(end: number): Timer | undefined {
    return [...this.#timers].filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
  }
}
