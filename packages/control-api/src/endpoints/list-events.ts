import { z } from '@hono/zod-openapi'
import { eventOperations, eventStates, eventsAnswer, parseSandboxId } from '@torpor/contract'
import type { EventQuery } from '@torpor/core'

import { errors, json } from '../documented.ts'
import type { ApiContext, Endpoint } from '../endpoint.ts'
import { eventToWire, namesFor } from '../event-to-wire.ts'
import { pageLimit } from '../paging.ts'
import { givenParameters, validated } from '../request-input.ts'

/** A time that is meant in milliseconds would silently match nothing. */
const unixSeconds = z.coerce.number().min(0).max(99_999_999_999, 'must be in unix seconds')

const eventsQuery = z.object({
  startTime: unixSeconds.optional(),
  endTime: unixSeconds.optional(),
  sandboxID: z.string().optional(),
  templateID: z.string().optional(),
  events: z.array(z.enum(eventOperations)).optional(),
  state: z.enum(eventStates).optional(),
  orderAsc: z.stringbool().optional(),
  offset: z.coerce.number().int().min(0).optional(),
  limit: pageLimit,
})

const defaultLimit = 100

export const listEvents: Endpoint = {
  route: {
    method: 'get',
    path: '/sandboxes/events',
    summary: 'List what happened to sandboxes, those that are gone included, newest first',
    request: { query: eventsQuery },
    responses: { 200: json(eventsAnswer, 'One page of them'), ...errors() },
  },
  handle: (context, { useCases }) => {
    const query = queryOf(context)
    const { events, total } = useCases.events(query)
    return context.json({ items: events.flatMap(eventToWire), total, hasMore: query.offset + events.length < total })
  },
}

function queryOf(context: ApiContext): EventQuery {
  const { events, ...parameters } = givenParameters(context)
  const given = validated(eventsQuery, { ...parameters, ...(events !== undefined && { events: events.split(',') }) })
  const { sandboxID, templateID, startTime, endTime } = given
  return {
    ...(sandboxID !== undefined && { sandboxId: parseSandboxId(sandboxID) ?? sandboxID }),
    ...(templateID !== undefined && { templateId: templateID }),
    names: namesFor(given.events, given.state),
    ...(startTime !== undefined && { from: startTime * 1000 }),
    // An event is shown in whole seconds: the last one counts as a whole.
    ...(endTime !== undefined && { to: endTime * 1000 + 999 }),
    order: given.orderAsc === true ? 'asc' : 'desc',
    offset: given.offset ?? 0,
    limit: given.limit ?? defaultLimit,
  }
}
