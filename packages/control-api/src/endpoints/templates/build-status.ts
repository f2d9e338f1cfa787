import { z } from '@hono/zod-openapi'
import { buildInfo, buildLogs } from '@torpor/contract'
import { logLevels } from '@torpor/core'

import { errors, json } from '../../documented.ts'
import type { Endpoint } from '../../endpoint.ts'
import { givenParameters, validated } from '../../request-input.ts'
import { buildToWire, logEntryToWire } from '../../template-to-wire.ts'

const params = z.object({ templateID: z.string(), buildID: z.string() })
const mostEntries = 100
const limit = z.coerce.number().int().min(0).max(mostEntries).default(mostEntries)
const level = z.enum(logLevels).default('debug')
const statusQuery = z.object({ logsOffset: z.coerce.number().int().min(0).default(0), limit, level })
const logsQuery = z.object({
  /** Milliseconds since the epoch. */
  cursor: z.coerce.number().int().min(0).optional(),
  limit,
  level,
  direction: z.enum(['forward', 'backward']).default('forward'),
})
/** More than a build ever writes. */
const everything = 1_000_000

/** SDKs ask on after the end of a build until an answer has no entries: the offset counts (protocol.md 2.5). */
export const getBuildStatus: Endpoint = {
  route: {
    method: 'get',
    path: '/templates/{templateID}/builds/{buildID}/status',
    summary: 'How a build stands, and what it wrote from an offset on',
    request: { params, query: statusQuery },
    responses: { 200: json(buildInfo, 'At most 100 entries'), ...errors(404) },
  },
  handle: (context, { useCases }) => {
    const { logsOffset, ...query } = validated(statusQuery, givenParameters(context))
    const { templateID = '', buildID = '' } = context.req.param()
    return context.json(buildToWire(useCases.getBuild(templateID, buildID, { ...query, offset: logsOffset })))
  },
}

export const getBuildLogs: Endpoint = {
  route: {
    method: 'get',
    path: '/templates/{templateID}/builds/{buildID}/logs',
    summary: 'What a build wrote, from a time on or before it',
    request: { params, query: logsQuery },
    responses: { 200: json(buildLogs, 'At most 100 entries'), ...errors(404) },
  },
  handle: (context, { useCases }) => {
    const { cursor, limit: most, level: least, direction } = validated(logsQuery, givenParameters(context))
    const { templateID = '', buildID = '' } = context.req.param()
    const { entries } = useCases.getBuild(templateID, buildID, { level: least, offset: 0, limit: everything })
    const isForward = direction === 'forward'
    const wanted = entries.filter(({ at }) => cursor === undefined || (isForward ? at >= cursor : at <= cursor))
    const ordered = isForward ? wanted : wanted.toReversed()
    return context.json({ logs: ordered.slice(0, most).map(logEntryToWire) })
  },
}
