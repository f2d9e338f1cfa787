import { z } from '@hono/zod-openapi'
import { type ForkResult, forkRequest } from '@torpor/contract'
import type { CloneOutcome } from '@torpor/core'

import { errors, json, sandboxParams, schemas } from '../documented.ts'
import type { Dependencies, Endpoint } from '../endpoint.ts'
import { errorBodyOf } from '../errors-to-wire.ts'
import { bodyOf, sandboxIdOf } from '../request-input.ts'
import { sandboxToWire } from '../to-wire.ts'

export const forkSandbox: Endpoint = {
  route: {
    method: 'post',
    path: '/sandboxes/{sandboxID}/fork',
    summary: 'Make sandboxes with the files and the memory of this running one',
    request: { params: sandboxParams, body: json(forkRequest, 'May be empty: one fork') },
    responses: { 201: json(z.array(schemas.forkResult), 'What became of each'), ...errors(404, 409, 429, 507) },
  },
  handle: async (context, dependencies) => {
    const id = sandboxIdOf(context)
    const { count = 1, timeout } = await bodyOf(context, forkRequest, dependencies)
    const outcomes = await dependencies.useCases.forkSandbox(id, { count, timeoutSeconds: timeout })
    return context.json(
      outcomes.map((outcome) => resultOf(outcome, dependencies)),
      201,
    )
  },
}

const resultOf = (outcome: CloneOutcome, dependencies: Dependencies): ForkResult =>
  'sandbox' in outcome ? { sandbox: sandboxToWire(outcome.sandbox, dependencies) } : { error: errorBodyOf(outcome.error) }
