import { connectRequest } from '@torpor/contract'

import { errors, json, sandboxParams, schemas } from '../documented.ts'
import { newEgress } from '../egress-options.ts'
import type { ApiContext, Dependencies, Endpoint } from '../endpoint.ts'
import { bodyOf, sandboxIdOf } from '../request-input.ts'
import { sandboxToWire } from '../to-wire.ts'
import { refuseNewRestrictions } from '../unsupported-options.ts'

const route = {
  method: 'post',
  summary: 'Resume a paused sandbox, or extend a running one',
  request: { params: sandboxParams, body: json(connectRequest, 'May be empty') },
  responses: { 200: json(schemas.sandbox, 'It ran already'), 201: json(schemas.sandbox, 'It was resumed'), ...errors(404, 409, 429, 501) },
} as const

async function handle(context: ApiContext, dependencies: Dependencies): Promise<Response> {
  const { useCases } = dependencies
  const id = sandboxIdOf(context)
  const body = await bodyOf(context, connectRequest, dependencies)
  const seen = useCases.getSandbox(id)
  refuseNewRestrictions(body, seen)
  const egress = newEgress(body.network, seen)
  if (egress) await useCases.updateNetwork(id, egress)
  const { sandbox, resumed } = await useCases.connectSandbox(id, body.timeout, body.memory === false)
  return context.json(sandboxToWire(sandbox, dependencies), resumed ? 201 : 200)
}

export const connectSandbox: Endpoint = { route: { ...route, path: '/sandboxes/{sandboxID}/connect' }, handle }

export const connectSandboxV2: Endpoint = { route: { ...route, path: '/v2/sandboxes/{sandboxID}/connect' }, handle }
