import type { Clock } from '@torpor/core'

/** Node delays above this fire at once. */
const longestDelay = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (milliseconds, callback) => {
    const timer = setTimeout(callback, Math.min(milliseconds, longestDelay))
    timer.unref()
    return () => clearTimeout(timer)
  },
}
