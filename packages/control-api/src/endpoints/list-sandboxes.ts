import { z } from '@hono/zod-openapi'
import { publicStates } from '@torpor/contract'
import type { ListCommand } from '@torpor/core'

import { familyOf, stateFor } from '../client.ts'
import { errors, json, schemas } from '../documented.ts'
import type { ApiContext, Endpoint } from '../endpoint.ts'
import { parseMetadataFilter } from '../metadata-filter.ts'
import { pageToken, parsePageToken } from '../page-token.ts'
import { validated } from '../request-input.ts'
import { listedToWire } from '../to-wire.ts'

const mostPerPage = 1000

/** Each family's own promise for a page without `limit` (protocol.md 2.1). */
const defaultLimit = { e2b: 100, novita: 1000 }

const listQuery = z.object({
  metadata: z.string().optional(),
  state: z.array(z.enum(publicStates)).optional(),
  limit: z.coerce.number().int().min(1).max(mostPerPage).optional(),
  nextToken: z.string().optional(),
  startedAfter: z.iso.datetime({ offset: true, error: 'must be an RFC 3339 time' }).optional(),
  template: z.string().optional(),
  order: z.enum(['asc', 'desc']).optional(),
})

export const listSandboxes: Endpoint = {
  route: {
    method: 'get',
    path: '/v2/sandboxes',
    summary: 'List sandboxes, running and paused, page by page',
    request: { query: listQuery },
    responses: { 200: json(z.array(schemas.listedSandbox), 'One page; x-next-token leads to the next'), ...errors() },
  },
  handle: (context, { useCases }) => {
    const { sandboxes, next } = useCases.listSandboxes(commandOf(context))
    if (next) context.header('x-next-token', pageToken(next))
    const showState = stateFor(context)
    return context.json(sandboxes.map((sandbox) => listedToWire(sandbox, showState)))
  },
}

function commandOf(context: ApiContext): ListCommand {
  const query = validated(listQuery, parametersOf(context))
  const { states, startedAfter } = { states: query.state ?? publicStates, startedAfter: query.startedAfter }
  return {
    states,
    metadata: parseMetadataFilter(query.metadata ?? ''),
    template: query.template,
    ...(startedAfter !== undefined && { startedAfter: Date.parse(startedAfter) }),
    order: query.order ?? 'desc',
    ...(query.nextToken !== undefined && { after: parsePageToken(query.nextToken) }),
    limit: query.limit ?? defaultLimit[familyOf(context)],
  }
}

/** Parameters without a value count as absent; states come repeated or with commas between (protocol.md 1.2). */
function parametersOf(context: ApiContext): Record<string, string | string[]> {
  const given = Object.entries(context.req.query()).filter(([name, value]) => value !== '' && name !== 'state')
  const states = (context.req.queries('state') ?? []).flatMap((value) => value.split(',')).filter((state) => state !== '')
  return { ...Object.fromEntries(given), ...(states.length > 0 && { state: states }) }
}
