/** Bounds of the data plane; each has a default. */
export interface EdgeLimits {
  /** Requests and upgraded connections that one sandbox may have in progress; more are answered with 429. */
  readonly requestsPerSandbox: number
  /** Requests that may wait at once for one sandbox to wake; more are answered with 429. */
  readonly waitingPerSandbox: number
  /** Milliseconds that a request waits for its sandbox to wake before it is answered with 504 (protocol.md 2.5: one minute). */
  readonly wakeTimeoutMilliseconds: number
  /** Milliseconds within which a port must take a connection. */
  readonly connectMilliseconds: number
}

export const defaultLimits: EdgeLimits = {
  requestsPerSandbox: 1000,
  waitingPerSandbox: 500,
  wakeTimeoutMilliseconds: 60_000,
  connectMilliseconds: 5000,
}
