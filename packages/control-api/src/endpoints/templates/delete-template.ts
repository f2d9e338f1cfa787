import { z } from '@hono/zod-openapi'

import { errors } from '../../documented.ts'
import type { Endpoint } from '../../endpoint.ts'

/** SDKs send `local%2Fname%3Atag` as one segment of the path. */
export const deleteTemplate: Endpoint = {
  route: {
    method: 'delete',
    path: '/templates/{templateID}',
    summary: 'Delete a template that no sandbox uses, or a snapshot, by id or name; a build in progress ends',
    request: { params: z.object({ templateID: z.string() }) },
    responses: { 204: { description: 'It is gone; sandboxes made from a snapshot stay' }, ...errors(403, 404) },
  },
  handle: async (context, { useCases }) => {
    await useCases.deleteTemplate(context.req.param('templateID') ?? '')
    return context.body(null, 204)
  },
}
