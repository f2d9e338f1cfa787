/** What the exit code of a command says; `sandbox exec` and `sandbox connect` end with that of what they ran. */
export const exitCodes = {
  failed: 1,
  /** The command line, a setting or an input is wrong. */
  usage: 2,
  /** No server answers; also what service managers know for "not running". */
  unreachable: 3,
  notFound: 4,
  /** The key is not accepted, or what is asked for is not allowed. */
  refused: 5,
  interrupted: 130,
  /** The reader of the output went away: as a shell says it of SIGPIPE. */
  brokenPipe: 141,
} as const

/** The exit code for an answer of the API with this status. */
export function exitCodeOfStatus(status: number | undefined): number {
  if (status === 400) return exitCodes.usage
  if (status === 401 || status === 403) return exitCodes.refused
  if (status === 404) return exitCodes.notFound
  return exitCodes.failed
}
