import { z } from '@hono/zod-openapi'
import type { ListCommand, SandboxView, UseCases } from '@torpor/core'

import { stateFor } from '../client.ts'
import { errors, json, schemas } from '../documented.ts'
import type { Endpoint } from '../endpoint.ts'
import { parseMetadataFilter } from '../metadata-filter.ts'
import { listedToWire } from '../to-wire.ts'

/** For clients before the paged list: all running sandboxes in one answer. */
export const listRunningSandboxes: Endpoint = {
  route: {
    method: 'get',
    path: '/sandboxes',
    summary: 'List the running sandboxes',
    deprecated: true,
    request: { query: z.object({ metadata: z.string().optional() }) },
    responses: { 200: json(z.array(schemas.listedSandbox), 'All of them, newest first'), ...errors() },
  },
  handle: (context, { useCases }) => {
    const metadata = parseMetadataFilter(context.req.query('metadata') ?? '')
    const sandboxes = everyPage(useCases, { states: ['running'], metadata, order: 'desc', limit: 1000 })
    const showState = stateFor(context)
    return context.json(sandboxes.map((sandbox) => listedToWire(sandbox, showState)))
  },
}

function everyPage(useCases: UseCases, command: ListCommand): SandboxView[] {
  const found: SandboxView[] = []
  let after: ListCommand['after']
  do {
    const page = useCases.listSandboxes({ ...command, after })
    found.push(...page.sandboxes)
    after = page.next
  } while (after)
  return found
}
