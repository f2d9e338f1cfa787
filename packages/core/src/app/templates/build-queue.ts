import type { TorporError } from '@torpor/contract'

import type { Resources } from '../../domain/sandbox.ts'
import type { BuildLog } from './build-log.ts'

/** A build in progress or waiting for its turn. */
export interface BuildJob {
  readonly buildId: string
  readonly templateId: string
  readonly resources: Resources
  readonly log: BuildLog
  /** Aborted with the reason for which the build ends early. */
  readonly abort: AbortController
}

interface Entry extends BuildJob {
  readonly ended: Promise<void>
}

/** What a sandbox in which a build works may take. */
interface Occupant {
  readonly resources: Resources
  /** Bytes of files that it shares with a layer. */
  readonly heldBytes: number
}

/** Builds of this server: so many at once, one at a time per template. */
export class BuildQueue {
  readonly #most: number
  readonly #entries = new Map<string, Entry>()
  readonly #benches = new Set<Occupant>()
  #running = 0
  readonly #waiting: (() => void)[] = []

  constructor(most: number) {
    this.#most = most
  }

  /** The sandboxes in which builds work now; each counts as one that runs. */
  get benches(): Occupant[] {
    return [...this.#benches]
  }

  job(buildId: string): BuildJob | undefined {
    return this.#entries.get(buildId)
  }

  /** Does `work` when it is its turn; builds of the same template end before. `work` handles its errors itself. */
  add(job: BuildJob, work: () => Promise<void>): void {
    const earlier = [...this.#entries.values()].filter((entry) => entry.templateId === job.templateId).map((entry) => entry.ended)
    const ended = Promise.all(earlier)
      .then(() => this.#turn())
      .then(() => work().finally(() => this.#next()))
      .finally(() => this.#entries.delete(job.buildId))
    this.#entries.set(job.buildId, { ...job, ended })
  }

  /** Ends all builds of a template; resolves when they have ended. */
  async cancel(templateId: string, reason: TorporError): Promise<void> {
    await this.#cancel(
      [...this.#entries.values()].filter((entry) => entry.templateId === templateId),
      reason,
    )
  }

  /** Ends all there are. */
  async close(reason: TorporError): Promise<void> {
    await this.#cancel([...this.#entries.values()], reason)
  }

  /** Counts a sandbox in which a build works, until the function is called. */
  occupy(occupant: Occupant): () => void {
    const bench = { ...occupant }
    this.#benches.add(bench)
    return () => void this.#benches.delete(bench)
  }

  async #cancel(entries: readonly Entry[], reason: TorporError): Promise<void> {
    for (const { abort } of entries) abort.abort(reason)
    await Promise.all(entries.map(({ ended }) => ended))
  }

  async #turn(): Promise<void> {
    if (this.#running >= this.#most) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running += 1
  }

  /** Hands the place on, or gives it back. */
  #next(): void {
    const next = this.#waiting.shift()
    if (next) next()
    else this.#running -= 1
  }
}
