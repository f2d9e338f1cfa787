import type { Config } from '@torpor/server/config'

/** One thing that is looked at. */
export interface Check {
  readonly name: string
  /** `error`: Torpor does not work; `warning`: a part of it does not, or is slow. */
  readonly severity: 'error' | 'warning'
  /** What does not work while it is found. */
  readonly breaks: string
  /** The command that mends it. */
  readonly mend: string
  /** What is wrong, as one line; undefined when nothing is. */
  find(config: Config): Found | undefined | Promise<Found | undefined>
}

/** What is wrong, perhaps with a way to mend it that depends on that. */
export type Found = string | { readonly found: string; readonly mend: string }
