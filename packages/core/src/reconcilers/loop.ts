import type { Clock, Log } from '../ports/platform.ts'

/** Milliseconds until the next look; at most a minute, so that a lost nudge or a clock jump costs little. */
export type Pass = () => Promise<number>

const longest = 60_000

/**
 * A loop without input: every pass looks at the whole state itself. A nudge only makes the next pass come sooner; one that is
 * lost loses nothing.
 */
export class Loop implements AsyncDisposable {
  readonly #name: string
  readonly #pass: Pass
  readonly #clock: Clock
  readonly #log: Log
  #cancel: () => void = () => undefined
  #running: Promise<void> | undefined
  #nudged = false
  #stopped = false

  constructor(name: string, pass: Pass, platform: { readonly clock: Clock; readonly log: Log }) {
    this.#name = name
    this.#pass = pass
    this.#clock = platform.clock
    this.#log = platform.log
  }

  /** Look soon: now, or once more after the pass in progress. */
  nudge(): void {
    if (this.#stopped) return
    if (this.#running) {
      this.#nudged = true
      return
    }
    this.#cancel()
    this.#running = this.#once().finally(() => {
      this.#running = undefined
      if (this.#nudged) {
        this.#nudged = false
        this.nudge()
      }
    })
  }

  async #once(): Promise<void> {
    let next = longest
    try {
      next = await this.#pass()
    } catch (error) {
      next = 1000
      this.#log.error({ loop: this.#name, error }, 'a pass failed; it is repeated')
    }
    if (!this.#stopped) this.#cancel = this.#clock.after(Math.min(Math.max(next, 0), longest), () => this.nudge())
  }

  /** Resolves when no pass runs any more. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true
    this.#cancel()
    await this.#running
  }
}
