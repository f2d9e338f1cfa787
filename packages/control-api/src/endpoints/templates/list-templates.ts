import { z } from '@hono/zod-openapi'
import { templateIdPattern, templatePage, templateSummary } from '@torpor/contract'

import { errors, json } from '../../documented.ts'
import type { ApiContext, Dependencies, Endpoint } from '../../endpoint.ts'
import { defaultLimit, pageLimit, pageToken, parsePageToken } from '../../paging.ts'
import { givenParameters, validated } from '../../request-input.ts'
import { snapshotAsTemplate, summaryToWire } from '../../template-to-wire.ts'

export const listTemplates: Endpoint = {
  route: {
    method: 'get',
    path: '/templates',
    summary: 'All templates, newest first',
    request: {},
    responses: { 200: json(z.array(templateSummary), 'All of them'), ...errors() },
  },
  handle: (context, { useCases }) => context.json(useCases.listTemplates().map(summaryToWire)),
}

const cursorQuery = z.object({ limit: pageLimit, nextToken: z.string().optional() })
const pageQuery = z.object({
  template_type: z.enum(['template_build', 'snapshot_template']).default('template_build'),
  page: z.coerce.number().int().min(1).default(1),
  limit: z.coerce.number().int().min(1).max(100).default(20),
})

/** One path, two shapes: whoever names a type or a page is Novita's SDK (protocol.md 2.2). */
export const listTemplatesV2: Endpoint = {
  route: {
    method: 'get',
    path: '/v2/templates',
    summary: 'List templates, newest first: by numbered pages with template_type or page, else x-next-token leads to the next page',
    request: { query: pageQuery.partial().extend(cursorQuery.shape) },
    responses: { 200: json(z.union([z.array(templateSummary), templatePage]), 'One page'), ...errors() },
  },
  handle: (context, dependencies) => {
    const given = givenParameters(context)
    const isNumbered = 'template_type' in given || 'page' in given
    return isNumbered ? numbered(context, dependencies) : byCursor(context, dependencies)
  },
}

function numbered(context: ApiContext, { useCases }: Dependencies): Response {
  const { template_type: type, page, limit } = validated(pageQuery, givenParameters(context))
  const all =
    type === 'template_build'
      ? useCases.listTemplates().map(summaryToWire)
      : useCases.listSnapshots({ limit: Number.MAX_SAFE_INTEGER - 1 }).snapshots.map(snapshotAsTemplate)
  const templates = all.slice((page - 1) * limit, page * limit)
  return context.json({ templates, total: all.length, page, limit, totalPages: Math.ceil(all.length / limit) })
}

function byCursor(context: ApiContext, { useCases }: Dependencies): Response {
  const { limit = defaultLimit(context), nextToken } = validated(cursorQuery, givenParameters(context))
  const after = nextToken === undefined ? undefined : parsePageToken(nextToken, templateIdPattern)
  const left = useCases
    .listTemplates()
    .filter(({ createdAt, id }) => !after || createdAt < after.at || (createdAt === after.at && id > after.id))
  const page = left.slice(0, limit)
  const last = page.at(-1)
  if (last && left.length > limit) context.header('x-next-token', pageToken({ at: last.createdAt, id: last.id }))
  return context.json(page.map(summaryToWire))
}
