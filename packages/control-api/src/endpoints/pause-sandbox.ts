import { pauseRequest } from '@torpor/contract'

import { errors, json, sandboxParams } from '../documented.ts'
import type { Endpoint } from '../endpoint.ts'
import { bodyOf, sandboxIdOf } from '../request-input.ts'
import { refuseFilesOnly } from '../unsupported-options.ts'

export const pauseSandbox: Endpoint = {
  route: {
    method: 'post',
    path: '/sandboxes/{sandboxID}/pause',
    summary: 'Pause a sandbox with its files and its memory',
    request: { params: sandboxParams, body: json(pauseRequest, 'May be empty') },
    responses: { 204: { description: 'Its state is on disk' }, ...errors(404, 409, 501, 507) },
  },
  handle: async (context, { useCases, ...limits }) => {
    const id = sandboxIdOf(context)
    const { memory } = await bodyOf(context, pauseRequest, limits)
    refuseFilesOnly(memory, 'memory')
    await useCases.pauseSandbox(id)
    return context.body(null, 204)
  },
}
