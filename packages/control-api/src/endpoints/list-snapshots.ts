import { z } from '@hono/zod-openapi'
import { parseSandboxId, templateIdPattern } from '@torpor/contract'
import type { SnapshotQuery } from '@torpor/core'

import { errors, json, schemas } from '../documented.ts'
import type { ApiContext, Endpoint } from '../endpoint.ts'
import { defaultLimit, pageLimit, pageToken, parsePageToken } from '../paging.ts'
import { givenParameters, validated } from '../request-input.ts'
import { snapshotToWire } from '../to-wire.ts'

const snapshotsQuery = z.object({
  sandboxID: z.string().optional(),
  name: z.string().optional(),
  limit: pageLimit,
  nextToken: z.string().optional(),
})

export const listSnapshots: Endpoint = {
  route: {
    method: 'get',
    path: '/snapshots',
    summary: 'List snapshots, newest first, page by page',
    request: { query: snapshotsQuery },
    responses: { 200: json(z.array(schemas.snapshotInfo), 'One page; x-next-token leads to the next'), ...errors() },
  },
  handle: (context, { useCases }) => {
    const { snapshots, next } = useCases.listSnapshots(queryOf(context))
    if (next) context.header('x-next-token', pageToken({ at: next.createdAt, id: next.id }))
    return context.json(snapshots.map(snapshotToWire))
  },
}

function queryOf(context: ApiContext): SnapshotQuery {
  const { sandboxID, name, limit, nextToken } = validated(snapshotsQuery, givenParameters(context))
  const last = nextToken === undefined ? undefined : parsePageToken(nextToken, templateIdPattern)
  return {
    // What can be no id has no snapshots, as an unknown name has none.
    ...(sandboxID !== undefined && { sandboxId: parseSandboxId(sandboxID) ?? sandboxID }),
    ...(name !== undefined && { name }),
    ...(last && { after: { createdAt: last.at, id: last.id } }),
    limit: limit ?? defaultLimit(context),
  }
}
