import { randomUUID } from 'node:crypto'

import { requestIdHeader } from '@torpor/contract'
import type { Log } from '@torpor/core'
import type { MiddlewareHandler } from 'hono'

import type { ApiEnv } from './endpoint.ts'

/** Every answer carries the id under which its request stands in the log; always ours, so that it is unique. */
export const trace =
  (log: Log): MiddlewareHandler<ApiEnv> =>
  async (context, next) => {
    const requestId = randomUUID()
    const start = performance.now()
    context.set('requestId', requestId)
    await next()
    context.header(requestIdHeader, requestId)
    const { method, path } = context.req
    log.info({ requestId, method, path, status: context.res.status, milliseconds: Math.round(performance.now() - start) }, 'request')
  }
