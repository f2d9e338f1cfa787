import { TorporError, parseSandboxId } from '@torpor/contract'
import type { Cursor } from '@torpor/core'

/** Opaque to clients: base64url of `<RFC 3339 startedAt>__<id>` of the last sandbox on the page (protocol.md 2.1). */
export const pageToken = ({ startedAt, id }: Cursor): string =>
  Buffer.from(`${new Date(startedAt).toISOString()}__${id}`).toString('base64url')

/** @throws TorporError `invalid_argument`. */
export function parsePageToken(token: string): Cursor {
  const [time = '', asked = '', ...rest] = Buffer.from(token, 'base64url').toString('utf8').split('__')
  const id = parseSandboxId(asked)
  const startedAt = Date.parse(time)
  if (id === undefined || Number.isNaN(startedAt) || rest.length > 0) {
    throw new TorporError('invalid_argument', 'nextToken: not a token of this list; start again without one')
  }
  return { startedAt, id }
}
