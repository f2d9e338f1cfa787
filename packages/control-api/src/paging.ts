import { TorporError } from '@torpor/contract'
import { z } from 'zod'

import { familyOf } from './client.ts'
import type { ApiContext } from './endpoint.ts'

/** The last item of a page: its time in milliseconds since the epoch, and its id. */
interface Position {
  readonly at: number
  readonly id: string
}

const mostPerPage = 1000

/** The `limit` parameter of every list. */
export const pageLimit = z.coerce.number().int().min(1).max(mostPerPage).optional()

/** Each family's own promise for a page without `limit` (protocol.md 2.1, promise D6). */
export const defaultLimit = (context: ApiContext): number => ({ e2b: 100, novita: mostPerPage })[familyOf(context)]

/** Opaque to clients: base64url of `<RFC 3339 time>__<id>` (protocol.md 2.1). */
export const pageToken = ({ at, id }: Position): string => Buffer.from(`${new Date(at).toISOString()}__${id}`).toString('base64url')

/** @throws TorporError `invalid_argument` for what `pageToken` did not make, and for an id that does not match. */
export function parsePageToken(token: string, ids: RegExp): Position {
  const [time = '', id = '', ...rest] = Buffer.from(token, 'base64url').toString('utf8').split('__')
  const at = Date.parse(time)
  if (!ids.test(id) || Number.isNaN(at) || rest.length > 0) {
    throw new TorporError('invalid_argument', 'nextToken: not a token of this list; start again without one')
  }
  return { at, id }
}
