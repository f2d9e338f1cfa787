/** Bounds of the data plane; each has a default. */
export interface EdgeLimits {
  /** Requests and upgraded connections that one sandbox may have in progress; more are answered with 429. */
  readonly requestsPerSandbox: number
  /** Milliseconds within which a port must take a connection. */
  readonly connectMilliseconds: number
}

export const defaultLimits: EdgeLimits = { requestsPerSandbox: 1000, connectMilliseconds: 5000 }
