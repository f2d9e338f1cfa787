import { refreshRequest } from '@torpor/contract'

import { errors, json, sandboxParams } from '../documented.ts'
import type { Endpoint } from '../endpoint.ts'
import { bodyOf, sandboxIdOf } from '../request-input.ts'

/** What E2B's server adds when the body names no duration. */
const defaultSeconds = 15

export const refreshSandbox: Endpoint = {
  route: {
    method: 'post',
    path: '/sandboxes/{sandboxID}/refreshes',
    summary: 'Keep a running sandbox for at least so many seconds from now',
    request: { params: sandboxParams, body: json(refreshRequest, 'May be empty') },
    responses: { 204: { description: 'It holds' }, ...errors(404) },
  },
  handle: async (context, { useCases, ...limits }) => {
    const id = sandboxIdOf(context)
    const { duration } = await bodyOf(context, refreshRequest, limits)
    useCases.refresh(id, duration ?? defaultSeconds)
    return context.body(null, 204)
  },
}
