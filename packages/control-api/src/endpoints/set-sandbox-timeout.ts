import { timeoutRequest } from '@torpor/contract'

import { errors, json, sandboxParams } from '../documented.ts'
import type { Endpoint } from '../endpoint.ts'
import { bodyOf, sandboxIdOf } from '../request-input.ts'

export const setSandboxTimeout: Endpoint = {
  route: {
    method: 'post',
    path: '/sandboxes/{sandboxID}/timeout',
    summary: 'Let a running sandbox end so many seconds from now, earlier or later than before',
    request: { params: sandboxParams, body: json(timeoutRequest, 'The new timeout in seconds') },
    responses: { 204: { description: 'It holds' }, ...errors(404) },
  },
  handle: async (context, { useCases, ...limits }) => {
    const id = sandboxIdOf(context)
    const { timeout } = await bodyOf(context, timeoutRequest, limits)
    useCases.setTimeout(id, timeout)
    return context.body(null, 204)
  },
}
