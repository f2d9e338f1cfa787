import { errors, sandboxParams } from '../documented.ts'
import type { Endpoint } from '../endpoint.ts'
import { sandboxIdOf } from '../request-input.ts'

export const killSandbox: Endpoint = {
  route: {
    method: 'delete',
    path: '/sandboxes/{sandboxID}',
    summary: 'End a sandbox, running or paused, for good',
    request: { params: sandboxParams },
    responses: { 204: { description: 'It is gone' }, ...errors(404) },
  },
  handle: async (context, { useCases }) => {
    await useCases.killSandbox(sandboxIdOf(context))
    return context.body(null, 204)
  },
}
