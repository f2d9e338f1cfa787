import { TorporError } from '@torpor/contract'

/** Limits of a sandbox's time, all in seconds. */
export interface TimeLimits {
  readonly defaultTimeoutSeconds: number
  readonly maxTimeoutSeconds: number
  /** The longest time that a sandbox runs without a pause (promise P28). */
  readonly maxRunSeconds: number
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

/**
 * When a sandbox ends that gets `timeoutSeconds` from `now` on and has run since `startedAt` (milliseconds since the epoch): never
 * later than its continuous running time allows.
 */
export function endAfter(
  now: number,
  timeoutSeconds: number,
  { startedAt, maxRunSeconds }: { readonly startedAt: number; readonly maxRunSeconds: number },
): number {
  return Math.min(now + Math.round(timeoutSeconds * 1000), startedAt + Math.round(maxRunSeconds * 1000))
}

/** Seconds a sandbox gets that was woken by traffic: at least 5 minutes, or its original timeout (promises R7, R8). */
export const wakeTimeout = (originalSeconds: number, limits: TimeLimits): number =>
  Math.min(Math.max(300, originalSeconds), limits.maxTimeoutSeconds)
