import { stateFor } from '../client.ts'
import { errors, json, sandboxParams, schemas } from '../documented.ts'
import type { Endpoint } from '../endpoint.ts'
import { sandboxIdOf } from '../request-input.ts'
import { detailToWire } from '../to-wire.ts'

export const getSandbox: Endpoint = {
  route: {
    method: 'get',
    path: '/sandboxes/{sandboxID}',
    summary: 'Get a sandbox',
    request: { params: sandboxParams },
    responses: { 200: json(schemas.sandboxDetail, 'The sandbox'), ...errors(404) },
  },
  handle: (context, dependencies) => {
    const record = dependencies.useCases.getSandbox(sandboxIdOf(context))
    return context.json(detailToWire(record, stateFor(context), dependencies))
  },
}
