import { z } from '@hono/zod-openapi'
import { logLevels } from '@torpor/contract'
import type { LogQuery } from '@torpor/core'

import { errors, json, sandboxParams, schemas } from '../documented.ts'
import type { Endpoint } from '../endpoint.ts'
import { logLineToWire, logToWire } from '../observation-to-wire.ts'
import { pageLimit } from '../paging.ts'
import { givenParameters, sandboxIdOf, validated } from '../request-input.ts'

const usualLimit = 1000
const unixMilliseconds = z.coerce.number().int().min(0)

const firstQuery = z.object({ start: unixMilliseconds.optional(), limit: pageLimit })

export const listSandboxLogs: Endpoint = {
  route: {
    method: 'get',
    path: '/sandboxes/{sandboxID}/logs',
    summary: 'What happened to a sandbox and in it, oldest first; also of one that is gone',
    request: { params: sandboxParams, query: firstQuery },
    responses: {
      200: json(
        z.object({ logs: z.array(z.object({ timestamp: z.string(), line: z.string() })), logEntries: z.array(schemas.logEntry) }),
        'Each line is a JSON object with level, logger and message',
      ),
      ...errors(404),
    },
  },
  handle: async (context, { useCases }) => {
    const { start, limit } = validated(firstQuery, givenParameters(context))
    const query: LogQuery = { from: start ?? 0, order: 'asc', limit: limit ?? usualLimit }
    const entries = await useCases.logs(sandboxIdOf(context), query)
    return context.json({ logs: entries.map(logLineToWire), logEntries: entries.map(logToWire) })
  },
}

const secondQuery = z.object({
  cursor: unixMilliseconds.optional(),
  limit: pageLimit,
  direction: z.enum(['forward', 'backward']).optional(),
  level: z.enum(logLevels).optional(),
  search: z.string().max(256).optional(),
})

export const listSandboxLogsV2: Endpoint = {
  route: {
    method: 'get',
    path: '/v2/sandboxes/{sandboxID}/logs',
    summary: 'The same in either direction from a time, by least level and by words',
    request: { params: sandboxParams, query: secondQuery },
    responses: { 200: json(z.object({ logs: z.array(schemas.logEntry) }), 'In the order of the direction'), ...errors(404) },
  },
  handle: async (context, { useCases }) => {
    const { cursor, limit, direction, level, search } = validated(secondQuery, givenParameters(context))
    const forward = direction !== 'backward'
    const entries = await useCases.logs(sandboxIdOf(context), {
      ...(cursor !== undefined && (forward ? { from: cursor } : { to: cursor })),
      ...(level !== undefined && { level }),
      ...(search !== undefined && { search }),
      order: forward ? 'asc' : 'desc',
      limit: limit ?? usualLimit,
    })
    return context.json({ logs: entries.map(logToWire) })
  },
}
