import { z } from '@hono/zod-openapi'

import { errors } from '../documented.ts'
import type { Endpoint } from '../endpoint.ts'

/** For snapshots only as yet. SDKs send `local%2Fname%3Atag` as one segment of the path. */
export const deleteTemplate: Endpoint = {
  route: {
    method: 'delete',
    path: '/templates/{templateID}',
    summary: 'Delete a snapshot, by id or name',
    request: { params: z.object({ templateID: z.string() }) },
    responses: { 204: { description: 'It is gone; sandboxes made from it stay' }, ...errors(404, 501) },
  },
  handle: async (context, { useCases }) => {
    await useCases.deleteSnapshot(context.req.param('templateID') ?? '')
    return context.body(null, 204)
  },
}
