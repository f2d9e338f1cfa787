import { resetAnswer, resetRequest } from '@torpor/contract'

import { errors, json, sandboxParams } from '../documented.ts'
import { newEgress } from '../egress-options.ts'
import type { Endpoint } from '../endpoint.ts'
import { bodyOf, sandboxIdOf } from '../request-input.ts'
import { trafficToken } from '../to-wire.ts'
import { refuseNewRestrictions } from '../unsupported-options.ts'

export const resetSandbox: Endpoint = {
  route: {
    method: 'post',
    path: '/sandboxes/{sandboxID}/reset',
    summary: 'Take a sandbox back to its newest snapshot, the named one or what it was made from, under the same id',
    request: { params: sandboxParams, body: json(resetRequest, 'May be empty: it runs afterwards') },
    responses: { 200: json(resetAnswer, 'It is as it was then'), ...errors(404, 409, 429, 501, 507) },
  },
  handle: async (context, { useCases, tokens, ...limits }) => {
    const id = sandboxIdOf(context)
    const body = await bodyOf(context, resetRequest, limits)
    const seen = useCases.getSandbox(id)
    refuseNewRestrictions(body, seen)
    const egress = newEgress(body.network, seen)
    if (egress) await useCases.updateNetwork(id, egress)
    const { resume = true, timeout, snapshotID } = body
    const record = await useCases.resetSandbox(id, { resume, timeoutSeconds: timeout, snapshot: snapshotID })
    const trafficAccessToken = trafficToken(record, tokens)
    return context.json({ ...(trafficAccessToken !== undefined && { trafficAccessToken }) })
  },
}
