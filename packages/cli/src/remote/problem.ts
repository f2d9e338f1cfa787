import { codeOf } from '@torpor/file-system'
import { SetupProblem } from '@torpor/setup'

import { exitCodeOfStatus, exitCodes } from '../exit-codes.ts'

/** What stops a command that asks a server; ends with an exit code of its own. */
export class RemoteProblem extends SetupProblem {
  readonly exitCode: number

  constructor(message: string, exitCode: number, details: { readonly mend?: string; readonly cause?: unknown } = {}) {
    super(message, details)
    this.name = 'RemoteProblem'
    this.exitCode = exitCode
  }
}

const keyHint = "the key is E2B_API_KEY, or that of --api-key-file; on the server's machine: ./torpor keys create NAME"

/** The server refused. */
export function refusal(status: number, message: string): RemoteProblem {
  const mend = status === 401 ? keyHint : undefined
  return new RemoteProblem(message, exitCodeOfStatus(status), mend === undefined ? {} : { mend })
}

/** Nothing answers there, or nothing that is a Torpor. */
export const unreachable = (url: string, cause: unknown): RemoteProblem =>
  new RemoteProblem(`no server answers at ${url}`, exitCodes.unreachable, {
    mend: './torpor status; for another server, see E2B_API_URL',
    cause,
  })

/** By the names of the SDK's errors: its classes are not loaded by every command. */
const sdkErrors: Readonly<Record<string, number>> = {
  NotFoundError: 404,
  SandboxNotFoundError: 404,
  FileNotFoundError: 404,
  AuthenticationError: 401,
  InvalidArgumentError: 400,
}

/** Translates what the SDK throws; everything else comes back as it is. */
export function translated(error: unknown, url: string): unknown {
  if (!(error instanceof Error) || error instanceof SetupProblem) return error
  if (isConnectionFailure(error)) return unreachable(url, error)
  const status = sdkErrors[error.name] ?? statusOf(error)
  return status === undefined ? error : refusal(status, error.message)
}

/** `409: message`, as the SDK writes what it has no class for. */
function statusOf(error: Error): number | undefined {
  if (!error.name.endsWith('Error') || !('statusCode' in error)) return undefined
  return typeof error.statusCode === 'number' ? error.statusCode : undefined
}

const connectionCodes = new Set<unknown>([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
  'UND_ERR_CONNECT_TIMEOUT',
])

function isConnectionFailure(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  if (error instanceof TypeError && error.message === 'fetch failed') return true
  if (connectionCodes.has(codeOf(error))) return true
  return isConnectionFailure(error.cause)
}
