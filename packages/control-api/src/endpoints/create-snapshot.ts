import { snapshotRequest } from '@torpor/contract'

import { errors, json, sandboxParams, schemas } from '../documented.ts'
import type { Endpoint } from '../endpoint.ts'
import { bodyOf, sandboxIdOf } from '../request-input.ts'
import { snapshotToWire } from '../to-wire.ts'

export const createSnapshot: Endpoint = {
  route: {
    method: 'post',
    path: '/sandboxes/{sandboxID}/snapshots',
    summary: 'Keep the state of a running sandbox, which runs on; a name in use moves to the new snapshot',
    request: { params: sandboxParams, body: json(snapshotRequest, 'May be empty') },
    responses: { 201: json(schemas.snapshotInfo, 'It is on disk'), ...errors(404, 409, 507) },
  },
  handle: async (context, { useCases, ...limits }) => {
    const id = sandboxIdOf(context)
    const { name } = await bodyOf(context, snapshotRequest, limits)
    return context.json(snapshotToWire(await useCases.createSnapshot(id, name)), 201)
  },
}
