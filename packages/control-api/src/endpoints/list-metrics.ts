import { z } from '@hono/zod-openapi'
import { TorporError, parseSandboxId } from '@torpor/contract'

import { errors, json, sandboxParams, schemas } from '../documented.ts'
import type { Endpoint } from '../endpoint.ts'
import { metricToWire } from '../observation-to-wire.ts'
import { givenParameters, sandboxIdOf, validated } from '../request-input.ts'

/** A time that is meant in milliseconds would silently match nothing. */
const unixSeconds = z.coerce.number().min(0).max(99_999_999_999, 'must be in unix seconds')

const rangeQuery = z.object({ start: unixSeconds.optional(), end: unixSeconds.optional() })

export const listSandboxMetrics: Endpoint = {
  route: {
    method: 'get',
    path: '/sandboxes/{sandboxID}/metrics',
    summary: 'What a sandbox used, every two seconds while it ran; also of one that is gone, for a day',
    request: { params: sandboxParams, query: rangeQuery },
    responses: { 200: json(z.array(schemas.metric), 'Oldest first; empty until the first sample'), ...errors(404) },
  },
  handle: (context, { useCases }) => {
    const { start, end } = validated(rangeQuery, givenParameters(context))
    const range = { from: (start ?? 0) * 1000, to: end === undefined ? Number.MAX_SAFE_INTEGER : end * 1000 + 999 }
    return context.json(useCases.metrics(sandboxIdOf(context), range).map(metricToWire))
  },
}

const mostSandboxes = 100

const idsQuery = z.object({ sandbox_ids: z.string({ error: 'must be ids with commas between' }).min(1) })

export const listLastMetrics: Endpoint = {
  route: {
    method: 'get',
    path: '/sandboxes/metrics',
    summary: 'The last sample of each of these sandboxes',
    request: { query: idsQuery },
    responses: { 200: json(z.object({ sandboxes: z.record(z.string(), schemas.metric) }), 'Those that have one'), ...errors() },
  },
  handle: (context, { useCases }) => {
    const { sandbox_ids } = validated(idsQuery, givenParameters(context))
    const asked = sandbox_ids.split(',')
    if (asked.length > mostSandboxes) throw new TorporError('invalid_argument', `sandbox_ids: at most ${mostSandboxes} at once`)
    const ids = asked.map((id) => parseSandboxId(id)).filter((id) => id !== undefined)
    const found = useCases.lastMetrics(ids).map((sample) => [sample.sandboxId, metricToWire(sample)])
    return context.json({ sandboxes: Object.fromEntries(found) })
  },
}
