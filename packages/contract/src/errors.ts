/** The closed set of errors. Everything foreign is translated into one of these at the border where it enters. */
export const errorStatus = {
  invalid_argument: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  timed_out: 504,
  conflict: 409,
  body_too_large: 413,
  exhausted: 429,
  internal: 500,
  /** Saved state is not what was saved: nothing was started from it. */
  damaged: 500,
  unimplemented: 501,
  unreachable: 502,
  unavailable: 503,
  no_space: 507,
} as const satisfies Record<string, number>

export type ErrorKind = keyof typeof errorStatus

export interface ErrorDetails {
  /** For the operator's log only: never shown to a user. */
  readonly context?: Readonly<Record<string, unknown>>
  /** The foreign error behind it; logged, never shown. */
  readonly cause?: unknown
  /** Seconds after which a retry may succeed. */
  readonly retryAfterSeconds?: number
}

/**
 * The one error class of the platform. `message` is for the user: what happened, to what, what to do; it never
 * holds a host path or a secret.
 */
export class TorporError extends Error {
  readonly kind: ErrorKind
  readonly context: Readonly<Record<string, unknown>>
  readonly retryAfterSeconds: number | undefined

  constructor(kind: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, { cause: details.cause })
    this.name = 'TorporError'
    this.kind = kind
    this.context = details.context ?? {}
    this.retryAfterSeconds = details.retryAfterSeconds
  }

  get status(): number {
    return errorStatus[this.kind]
  }
}

/** The one funnel: what is not ours becomes `internal`, its text kept for the log only. */
export function toTorporError(error: unknown): TorporError {
  if (error instanceof TorporError) return error
  return new TorporError('internal', 'Something went wrong on the server. The operator finds the cause in the log under this request id.', {
    cause: error,
  })
}

/** Whether `error` is ours and of one of `kinds`. */
export function isKind(error: unknown, ...kinds: ErrorKind[]): error is TorporError {
  return error instanceof TorporError && kinds.includes(error.kind)
}

/** The error body of every control-plane endpoint; SDKs test `code`, so it equals the status (protocol.md 2.1). */
export interface ErrorBody {
  readonly code: number
  readonly message: string
}

export const sandboxNotFound = (id: string): TorporError =>
  new TorporError('not_found', `Sandbox "${id}" doesn't exist or you don't have access to it`)
