import { type QuotaAnswer, quotaAnswer } from '@torpor/contract'
import type { Quota } from '@torpor/core'

import { errors, json } from '../documented.ts'
import type { Endpoint } from '../endpoint.ts'

export const getQuota: Endpoint = {
  route: {
    method: 'get',
    path: '/sandboxes/quota',
    summary: 'Tell what running sandboxes hold together, and what they may hold',
    responses: { 200: json(quotaAnswer, 'Memory in MiB'), ...errors() },
  },
  handle: (context, { useCases }) => context.json(quotaToWire(useCases.quota())),
}

const quotaToWire = ({ limit, usage }: Quota): QuotaAnswer => ({
  limit: {
    concurrentInstances: limit.sandboxes,
    concurrentRamMb: limit.memoryMiB,
    maxLengthHours: limit.maxTimeoutSeconds / 3600,
    maxRamMb: limit.memoryMiB,
  },
  usage: { concurrentInstances: usage.sandboxes, concurrentVcpu: usage.cpuCount, concurrentRamMb: usage.memoryMiB },
})
