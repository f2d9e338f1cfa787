import { setTimeout as sleep } from 'node:timers/promises'

import { TorporError } from '@torpor/contract'

import type { Pace } from './piece-sums.ts'

/** What a slow disk held up may be caught up, but no more: in milliseconds. */
const slack = 100
/** Shorter waits are put together. */
const shortestWait = 10

/** At most `bytesPerSecond`. Throws the signal's reason as soon as that is aborted. */
export function paceOf(bytesPerSecond: number, signal: AbortSignal): Pace {
  if (!(bytesPerSecond > 0)) throw new TorporError('internal', 'bytesPerSecond must be above 0', { context: { bytesPerSecond } })
  let due = performance.now()
  return async (bytes) => {
    signal.throwIfAborted()
    due = Math.max(due, performance.now() - slack) + (bytes / bytesPerSecond) * 1000
    const wait = due - performance.now()
    if (wait < shortestWait) return
    // It is rejected by nothing but the abort, whose reason is thrown below.
    await sleep(wait, undefined, { signal }).catch(() => undefined)
    signal.throwIfAborted()
  }
}
