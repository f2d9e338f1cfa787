import type { Clock, Log } from '@torpor/core'

/** Node delays above this fire at once. */
const longestDelay = 2 ** 31 - 1

/** How far the machine's clock may be from ours before the log says so. */
const tolerableMilliseconds = 5000

interface Sources {
  /** The machine's clock, which may jump; milliseconds since the epoch. */
  readonly wall: () => number
  /** A clock that never jumps; milliseconds since any moment. */
  readonly steady: () => number
}

/**
 * The time of the machine at the start of the server, gone on steadily: a clock that is set later ends no sandbox too early and
 * lets none live too long. The next start takes over the new time.
 */
export function steadyClock(log: Log, { wall, steady }: Sources = { wall: Date.now, steady: () => performance.now() }): Clock {
  const offset = wall() - steady()
  let isWarned = false
  return {
    now: () => {
      const now = Math.round(offset + steady())
      const driftMilliseconds = wall() - now
      const isOff = Math.abs(driftMilliseconds) > tolerableMilliseconds
      if (isOff && !isWarned)
        log.warn({ driftMilliseconds }, 'the clock of this machine was set; times go on as before until the next start')
      isWarned = isOff
      return now
    },
    after: (milliseconds, callback) => {
      const timer = setTimeout(callback, Math.min(milliseconds, longestDelay))
      timer.unref()
      return () => clearTimeout(timer)
    },
  }
}
