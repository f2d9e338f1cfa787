import { type ErrorBody, type TorporError, toTorporError } from '@torpor/contract'
import type { Log } from '@torpor/core'

import type { ApiContext } from './endpoint.ts'

/**
 * The one place where an error becomes an answer: `{code, message}` with `code` equal to the status (protocol.md 2.1). What
 * is not ours says nothing of itself to the client; the log has it under the request id.
 */
export function errorToWire(error: unknown, context: ApiContext, log: Log): Response {
  const known = toTorporError(error)
  report(known, context, log)
  const body = errorBodyOf(known)
  const { retryAfterSeconds } = known
  const headers = retryAfterSeconds === undefined ? undefined : { 'retry-after': String(Math.max(0, Math.ceil(retryAfterSeconds))) }
  return Response.json(body, { status: known.status, ...(headers && { headers }) })
}

/** An error as part of an answer. */
export const errorBodyOf = ({ status, message }: TorporError): ErrorBody => ({ code: status, message })

function report(error: TorporError, context: ApiContext, log: Log): void {
  const { kind, cause, message } = error
  if (error.status < 500 || kind === 'unimplemented') return
  const entry = { requestId: context.get('requestId'), method: context.req.method, path: context.req.path, kind, context: error.context }
  if (kind === 'internal') log.error({ ...entry, error: cause ?? error }, message)
  else log.warn({ ...entry, error: cause ?? error }, message)
}
