import { healthAnswer } from '@torpor/contract'

import type { Endpoint } from '../endpoint.ts'

/** For probes: the API answers. */
export const getHealth: Endpoint = {
  isPublic: true,
  route: {
    method: 'get',
    path: '/health',
    summary: 'Tell that the API answers',
    responses: { 200: { description: 'It does', content: { 'text/plain': { schema: healthAnswer } } } },
  },
  handle: (context) => context.text('OK'),
}
