import { z } from '@hono/zod-openapi'
import { publicStates, sandboxIdPattern } from '@torpor/contract'
import type { ListCommand } from '@torpor/core'

import { stateFor } from '../client.ts'
import { errors, json, schemas } from '../documented.ts'
import type { ApiContext, Endpoint } from '../endpoint.ts'
import { parseMetadataFilter } from '../metadata-filter.ts'
import { defaultLimit, pageLimit, pageToken, parsePageToken } from '../paging.ts'
import { givenParameters, validated } from '../request-input.ts'
import { listedToWire } from '../to-wire.ts'

const listQuery = z.object({
  metadata: z.string().optional(),
  state: z.array(z.enum(publicStates)).optional(),
  limit: pageLimit,
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
    responses: {
      200: json(
        z.array(schemas.listedSandbox),
        'One page; x-next-token leads to the next; x-total-running, when only running ones were asked for',
      ),
      ...errors(),
    },
  },
  handle: (context, { useCases }) => {
    const command = commandOf(context)
    const { sandboxes, next } = useCases.listSandboxes(command)
    if (command.states.every((state) => state === 'running')) context.header('x-total-running', String(useCases.quota().usage.sandboxes))
    if (next) context.header('x-next-token', pageToken({ at: next.startedAt, id: next.id }))
    const showState = stateFor(context)
    return context.json(sandboxes.map((sandbox) => listedToWire(sandbox, showState)))
  },
}

function commandOf(context: ApiContext): ListCommand {
  const query = validated(listQuery, parametersOf(context))
  const { startedAfter, nextToken } = query
  const last = nextToken === undefined ? undefined : parsePageToken(nextToken, sandboxIdPattern)
  return {
    states: query.state ?? publicStates,
    metadata: parseMetadataFilter(query.metadata ?? ''),
    template: query.template,
    ...(startedAfter !== undefined && { startedAfter: Date.parse(startedAfter) }),
    order: query.order ?? 'desc',
    ...(last && { after: { startedAt: last.at, id: last.id } }),
    limit: query.limit ?? defaultLimit(context),
  }
}

/** States come repeated or with commas between (protocol.md 1.2). */
function parametersOf(context: ApiContext): Record<string, string | string[]> {
  const { state: _, ...given } = givenParameters(context)
  const states = (context.req.queries('state') ?? []).flatMap((value) => value.split(',')).filter((state) => state !== '')
  return { ...given, ...(states.length > 0 && { state: states }) }
}
