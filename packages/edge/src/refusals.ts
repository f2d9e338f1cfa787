import { isKind, toTorporError } from '@torpor/contract'

/** An answer of the edge itself, in place of the sandbox's (protocol.md 3.10). */
export interface Refusal {
  readonly status: number
  readonly message: string
  /** What to do, for people: on pages only, since programs compare the rest. */
  readonly hint?: string
  readonly sandboxId?: string
  readonly port?: number
  /** Plain text, as clients know it from E2B (protocol.md 1.4). */
  readonly isText?: boolean
  readonly headers?: Readonly<Record<string, string>>
  /** Whole seconds after which a retry may succeed. */
  readonly retryAfterSeconds?: number
}

const text = (message: string): Refusal => ({ status: 400, message, isText: true })

export const missingHeader = text('missing header')
export const invalidPort = text('Invalid sandbox port')
export const invalidId = text('Invalid sandbox ID')
export const invalidTarget = text('Invalid request target')

export const unknownToken: Refusal = { status: 401, message: 'unauthorized access, no sandbox has this access token' }

export const unnamedSandbox: Refusal = {
  status: 400,
  message:
    'This request names no sandbox. Send the routing headers E2b-Sandbox-Id and E2b-Sandbox-Port, use the host name ' +
    '<port>-<sandbox id>.<domain>, send X-Access-Token, or sign the file URL (possible for secured sandboxes only)',
}

export const sandboxNotFound = (sandboxId: string): Refusal => ({
  status: 502,
  message: 'The sandbox was not found',
  hint: 'It has ended, its id is misspelt, or it is paused and its owner has not allowed that visitors wake it.',
  sandboxId,
})

export const portClosed = (sandboxId: string, port: number): Refusal => ({
  status: 502,
  message: 'The sandbox is running but port is not open',
  hint: 'Start a server on this port inside the sandbox, then load this page again.',
  sandboxId,
  port,
})

export const brokenAnswer = (sandboxId: string, port: number): Refusal => ({
  status: 502,
  message: 'The service in the sandbox closed the connection without a complete answer',
  sandboxId,
  port,
})

export const missingTrafficToken = (sandboxId: string): Refusal => ({
  status: 403,
  message: "The sandbox takes no public traffic: the header 'e2b-traffic-access-token' is missing",
  hint: 'Add ?e2b-traffic-access-token=<token> to the address, with the traffic access token of the sandbox.',
  sandboxId,
})

export const invalidTrafficToken = (sandboxId: string): Refusal => ({
  status: 403,
  message: "The sandbox takes no public traffic: the header 'e2b-traffic-access-token' is invalid",
  sandboxId,
})

export const wakeDenied = (sandboxId: string): Refusal => ({
  status: 403,
  message: "This sandbox can't be resumed with the credentials provided. It is paused, and the header X-Access-Token is missing or wrong",
  sandboxId,
})

export const reservedPath = (sandboxId: string): Refusal => ({
  status: 404,
  message: 'This endpoint is reserved for the platform and cannot be reached from outside',
  sandboxId,
})

export const noUpgrade = (sandboxId: string): Refusal => ({
  status: 400,
  message: 'This request cannot be upgraded to another protocol',
  sandboxId,
})

export const tooManyRequests = (sandboxId: string, limit: number): Refusal => ({
  status: 429,
  message: `The sandbox has ${limit} requests in progress, the most that are let in at once`,
  sandboxId,
})

export const tooManyWaiting = (sandboxId: string, limit: number): Refusal => ({
  status: 429,
  message: `The sandbox is waking up, and ${limit} requests wait for it already, the most that may`,
  sandboxId,
  retryAfterSeconds: 1,
})

export const wakeTimedOut = (sandboxId: string, milliseconds: number): Refusal => ({
  status: 504,
  message: `The sandbox is still waking up after ${milliseconds / 1000} s. Try again in a moment.`,
  hint: 'This page loads itself again.',
  sandboxId,
  retryAfterSeconds: 5,
})

/** What a client hears when a sleeping sandbox could not be woken for it. */
export function wakeFailed(sandboxId: string, error: unknown): Refusal {
  if (isKind(error, 'not_found')) return sandboxNotFound(sandboxId)
  const known = toTorporError(error)
  const { retryAfterSeconds } = known
  return {
    status: known.status,
    message: known.kind === 'conflict' ? 'The sandbox is still transitioning. Try again in a moment.' : known.message,
    sandboxId,
    ...(retryAfterSeconds !== undefined && { retryAfterSeconds: Math.max(0, Math.ceil(retryAfterSeconds)) }),
  }
}

export const internalFailure: Refusal = { status: 500, message: toTorporError(undefined).message }
