import { networkUpdate } from '@torpor/contract'

import { errors, json, sandboxParams } from '../documented.ts'
import { egressOptions } from '../egress-options.ts'
import type { Endpoint } from '../endpoint.ts'
import { bodyOf, sandboxIdOf } from '../request-input.ts'
import { refuseUnsupported } from '../unsupported-options.ts'

/** `updateNetwork` of E2B, `setNetwork` of Novita (protocol.md 2.2). */
export const updateNetwork: Endpoint = {
  route: {
    method: 'put',
    path: '/sandboxes/{sandboxID}/network',
    summary: 'Replace what a sandbox may reach outside; what is left out is cleared. New connections obey at once',
    request: { params: sandboxParams, body: json(networkUpdate, 'The new rules') },
    responses: { 204: { description: 'They are in force' }, ...errors(404, 501) },
  },
  handle: async (context, { useCases, ...limits }) => {
    const id = sandboxIdOf(context)
    const body = await bodyOf(context, networkUpdate, limits)
    refuseUnsupported({ network: body })
    await useCases.updateNetwork(id, egressOptions(body, body.allow_internet_access))
    return context.body(null, 204)
  },
}
