import { resumeRequest } from '@torpor/contract'

import { errors, json, sandboxParams, schemas } from '../documented.ts'
import type { Endpoint } from '../endpoint.ts'
import { bodyOf, sandboxIdOf } from '../request-input.ts'
import { sandboxToWire } from '../to-wire.ts'

/** Deprecated by connect; Novita 1.x still calls it and takes 409 for success. */
export const resumeSandbox: Endpoint = {
  route: {
    method: 'post',
    path: '/sandboxes/{sandboxID}/resume',
    summary: 'Resume a paused sandbox',
    deprecated: true,
    request: { params: sandboxParams, body: json(resumeRequest, 'May be empty') },
    responses: { 201: json(schemas.sandbox, 'It runs again'), ...errors(404, 409, 429) },
  },
  handle: async (context, dependencies) => {
    const id = sandboxIdOf(context)
    const { timeout, autoPause } = await bodyOf(context, resumeRequest, dependencies)
    const record = await dependencies.useCases.resumeSandbox(id, { timeoutSeconds: timeout, autoPause })
    return context.json(sandboxToWire(record, dependencies), 201)
  },
}
