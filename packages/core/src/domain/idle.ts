import { TorporError } from '@torpor/contract'

import type { SandboxRecord } from './sandbox.ts'

const leastSeconds = 60

/**
 * The idle timeout that the metadata asks for, in seconds (promise I1); undefined when it asks for none.
 * @throws TorporError `invalid_argument` for less than a minute or no number.
 */
export function idleTimeoutOf(metadata: Readonly<Record<string, string>>): number | undefined {
  const asked = metadata['idle_timeout']
  if (asked === undefined) return undefined
  const seconds = /^\d{1,9}$/.test(asked) ? Number(asked) : Number.NaN
  if (seconds >= leastSeconds) return seconds
  throw new TorporError('invalid_argument', `metadata.idle_timeout: must be a whole number of seconds, ${leastSeconds} or more`)
}

/** What is seen of a sandbox's use; the time in milliseconds since the epoch. */
export interface Use {
  /** Requests, streams and connections in progress. */
  readonly open: number
  /** When the last one began or ended. */
  readonly lastAt: number
}

/** When it ends unless something happens: its end, or sooner when it lies idle (promises I2, I3). Milliseconds since the epoch. */
export function endWhenIdle(record: Pick<SandboxRecord, 'metadata' | 'startedAt' | 'endAt'>, use: Use | undefined): number {
  const idleSeconds = idleTimeoutOf(record.metadata)
  if (idleSeconds === undefined || (use && use.open > 0)) return record.endAt
  const lastAt = Math.max(use?.lastAt ?? 0, record.startedAt)
  return Math.min(record.endAt, lastAt + idleSeconds * 1000)
}
