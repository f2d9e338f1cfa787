import { TorporError } from '@torpor/contract'
import type { MiddlewareHandler } from 'hono'

import type { ApiEnv } from './endpoint.ts'
import type { KeyCheck } from './key-check.ts'

const invalidKey = 'Invalid API key, please visit the machine that runs Torpor: `torpor env` prints the key there'

/** Everything needs a key unless it is public. Both headers of protocol.md 2.1 carry the same key. */
export const authenticate =
  (keys: KeyCheck, isPublic: (method: string, path: string) => boolean): MiddlewareHandler<ApiEnv> =>
  async (context, next) => {
    const method = context.req.method === 'HEAD' ? 'GET' : context.req.method
    if (!isPublic(method, context.req.path) && !keysOf(context.req.raw.headers).some((key) => keys.accepts(key))) {
      throw new TorporError('unauthenticated', invalidKey)
    }
    await next()
  }

/** The CLI sends both headers, of which either may be the key. */
function keysOf(headers: Headers): string[] {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.get('authorization') ?? '')?.[1]
  return [headers.get('x-api-key') ?? '', bearer ?? ''].filter((key) => key !== '')
}
