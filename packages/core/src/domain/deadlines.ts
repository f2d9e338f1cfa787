import { TorporError } from '@torpor/contract'

/** Limits of a sandbox's time, all in seconds. */
export interface TimeLimits {
  readonly defaultTimeoutSeconds: number
  readonly maxTimeoutSeconds: number
}

/**
 * The timeout that holds: the asked one or the default.
 * @throws TorporError `invalid_argument` for one that is not positive or is above the maximum.
 */
export function effectiveTimeout(asked: number | undefined, limits: TimeLimits): number {
  const timeout = asked ?? limits.defaultTimeoutSeconds
  if (!(timeout > 0)) throw new TorporError('invalid_argument', 'timeout: Timeout must be greater than 0')
  if (timeout > limits.maxTimeoutSeconds) {
    const hours = Math.round((limits.maxTimeoutSeconds / 3600) * 100) / 100
    throw new TorporError(
      'invalid_argument',
      `timeout: Timeout cannot be greater than ${hours} hours (${limits.maxTimeoutSeconds} seconds)`,
    )
  }
  return timeout
}

/** When a sandbox ends that gets `timeoutSeconds` from `now` on (milliseconds since the epoch). */
export const endAfter = (now: number, timeoutSeconds: number): number => now + Math.round(timeoutSeconds * 1000)

/** Seconds a sandbox gets that was woken by traffic: at least 5 minutes, or its original timeout (promises R7, R8). */
export const wakeTimeout = (originalSeconds: number, limits: TimeLimits): number =>
  Math.min(Math.max(300, originalSeconds), limits.maxTimeoutSeconds)
