import { pauseRequest } from '@torpor/contract'

import { familyOf } from '../client.ts'
import { errors, json, sandboxParams } from '../documented.ts'
import type { Endpoint } from '../endpoint.ts'
import { bodyOf, sandboxIdOf } from '../request-input.ts'

export const pauseSandbox: Endpoint = {
  route: {
    method: 'post',
    path: '/sandboxes/{sandboxID}/pause',
    summary: 'Pause a sandbox with its files and, unless memory is false, its memory',
    request: { params: sandboxParams, body: json(pauseRequest, 'May be empty') },
    responses: {
      204: { description: 'It stands still; for other clients than those of Novita, its state is on disk' },
      ...errors(404, 409, 507),
    },
  },
  handle: async (context, { useCases, ...limits }) => {
    const id = sandboxIdOf(context)
    const { memory, sync } = await bodyOf(context, pauseRequest, limits)
    // Novita promises an early answer (P8), E2B one that means saved.
    const until = familyOf(context) === 'novita' && sync !== true ? 'frozen' : 'durable'
    await useCases.pauseSandbox(id, { kind: memory === false ? 'files' : 'memory', until })
    return context.body(null, 204)
  },
}
