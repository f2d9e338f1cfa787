/** What is known of one sandbox's traffic. */
export interface SandboxActivity {
  /** Exchanges in progress: requests, streams, upgraded connections. */
  readonly open: number
  /** When the last one began or ended, in milliseconds since the epoch. */
  readonly lastAt: number
}

/** Sandboxes that are remembered; a sandbox with an exchange in progress is never forgotten. */
const mostIdle = 10_000

/** How many exchanges each sandbox has in progress, and when the last one began or ended. In memory, since the start. */
export class ActivityTable {
  readonly #entries = new Map<string, { open: number; lastAt: number }>()
  readonly #now: () => number
  readonly #mostIdle: number

  constructor(now: () => number = Date.now, remembered = mostIdle) {
    this.#now = now
    this.#mostIdle = remembered
  }

  of(sandboxId: string): SandboxActivity | undefined {
    const entry = this.#entries.get(sandboxId)
    return entry && { ...entry }
  }

  /** Counts an exchange in; gives the function that counts it out, which changes nothing when called again. */
  begin(sandboxId: string): () => void {
    const entry = this.#entries.get(sandboxId) ?? { open: 0, lastAt: 0 }
    // The entries stay in the order of their last beginning.
    this.#entries.delete(sandboxId)
    this.#entries.set(sandboxId, entry)
    entry.open += 1
    entry.lastAt = this.#now()
    this.#trim()
    let ended = false
    return () => {
      if (ended) return
      ended = true
      entry.open -= 1
      entry.lastAt = this.#now()
    }
  }

  /** Counts a call of the control plane as use. */
  touch(sandboxId: string): void {
    this.begin(sandboxId)()
  }

  /** Exchanges that are still in progress count no more. */
  forget(sandboxId: string): void {
    this.#entries.delete(sandboxId)
  }

  #trim(): void {
    if (this.#entries.size <= this.#mostIdle) return
    for (const [sandboxId, { open }] of this.#entries) {
      if (open > 0) continue
      this.#entries.delete(sandboxId)
      return
    }
  }
}
