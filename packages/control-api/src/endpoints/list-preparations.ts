import { z } from 'zod'

import { errors } from '../documented.ts'
import type { Endpoint } from '../endpoint.ts'

const preparation = z.object({
  name: z.string(),
  state: z.enum(['preparing', 'failed']),
  step: z.string(),
  since: z.iso.datetime(),
})

export const listPreparations: Endpoint = {
  route: {
    method: 'get',
    path: '/torpor/preparations',
    summary: 'List the built-in templates that are not ready yet, or could not be made; for the operator',
    responses: {
      200: { description: 'Empty when all are ready', content: { 'application/json': { schema: z.array(preparation) } } },
      ...errors(),
    },
  },
  handle: (context, { useCases }) => {
    const all = useCases.preparations().map((one) => ({ ...one, since: new Date(one.since).toISOString() }))
    return context.json(all)
  },
}
