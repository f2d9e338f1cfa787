import { cloneAnswer, cloneRequest } from '@torpor/contract'

import { errors, json, sandboxParams } from '../documented.ts'
import type { Endpoint } from '../endpoint.ts'
import { bodyOf, sandboxIdOf } from '../request-input.ts'
import { clonedToWire } from '../to-wire.ts'

export const cloneSandbox: Endpoint = {
  route: {
    method: 'post',
    path: '/sandboxes/{sandboxID}/clone',
    summary: 'Make sandboxes with the files and the memory of this one, running or paused',
    request: { params: sandboxParams, body: json(cloneRequest, 'May be empty: one clone') },
    responses: { 201: json(cloneAnswer, 'As many as could be made; all of them with strict'), ...errors(404, 409, 429, 507) },
  },
  handle: async (context, dependencies) => {
    const id = sandboxIdOf(context)
    const { count = 1, strict = false, timeout } = await bodyOf(context, cloneRequest, dependencies)
    const clones = await dependencies.useCases.cloneSandbox(id, { count, strict, timeoutSeconds: timeout })
    return context.json({ sandboxes: clones.map((clone) => clonedToWire(clone, dependencies)) }, 201)
  },
}
