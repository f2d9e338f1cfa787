/** What stops a set-up or a command, told to the person at the terminal. */
export interface ProblemDetails {
  /** The command or the action that mends it. */
  readonly mend?: string
  /** Where the whole story stands. */
  readonly logFile?: string
  /** The last lines of that story. */
  readonly tail?: string
  readonly cause?: unknown
}

/** An error whose message is one clear line for the operator; printed without a stack. */
export class SetupProblem extends Error {
  readonly mend: string | undefined
  readonly logFile: string | undefined
  readonly tail: string | undefined

  constructor(message: string, details: ProblemDetails = {}) {
    super(message, { cause: details.cause })
    this.name = 'SetupProblem'
    this.mend = details.mend
    this.logFile = details.logFile
    this.tail = details.tail
  }
}
