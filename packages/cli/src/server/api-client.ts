import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'

import type { Secret } from '@torpor/server/config'
import { SetupProblem } from '@torpor/setup'
import { z } from 'zod'

const requestMilliseconds = 10_000

const listed = z.array(z.looseObject({ sandboxID: z.string(), state: z.string() }))
export type Listed = z.infer<typeof listed>[number]

/** Whether something answers `GET /health` there as our server does. */
export async function isHealthy(address: string): Promise<boolean> {
  try {
    const response = await fetch(`http://${address}/health`, { signal: AbortSignal.timeout(2000) })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}

/** All sandboxes of the server. @throws SetupProblem when it refuses. */
export async function listSandboxes(address: string, key: Secret): Promise<Listed[]> {
  const all: Listed[] = []
  let next: string | null = null
  do {
    const query = new URLSearchParams({ state: 'running,paused', limit: '100', ...(next === null ? {} : { nextToken: next }) })
    const response = await request(`http://${address}/v2/sandboxes?${query.toString()}`, 'GET', key)
    all.push(...listed.parse(await response.json()))
    next = response.headers.get('x-next-token') || null
  } while (next !== null)
  return all
}

const preparations = z.array(z.object({ name: z.string(), state: z.enum(['preparing', 'failed']), step: z.string(), since: z.string() }))
export type Preparation = z.infer<typeof preparations>[number]

/** The templates that are not ready yet, or could not be made. */
export async function listPreparations(address: string, key: Secret): Promise<Preparation[]> {
  return preparations.parse(await (await request(`http://${address}/torpor/preparations`, 'GET', key)).json())
}

/** Ends a sandbox; one that is gone already is fine. */
export async function killSandbox(address: string, key: Secret, sandboxId: string): Promise<void> {
  await request(`http://${address}/sandboxes/${sandboxId}`, 'DELETE', key)
}

const verdict = z.object({
  owner: z.object({ kind: z.enum(['sandbox', 'snapshot', 'template']), id: z.string() }),
  result: z.enum(['noted', 'intact', 'damaged']),
  message: z.string().optional(),
})
export type Verdict = z.infer<typeof verdict>

/** Has every saved state read whole; yields each verdict as it comes. Takes as long as the disk needs. */
export async function* verify(address: string, key: Secret): AsyncGenerator<Verdict> {
  const response = await fetch(`http://${address}/torpor/verify`, { method: 'POST', headers: { 'x-api-key': key.reveal() } })
  if (!response.ok || !response.body)
    throw new SetupProblem(`the server answered ${response.status} to verify`, { mend: './torpor status' })
  const lines = createInterface({ input: Readable.fromWeb(response.body) })
  for await (const line of lines) yield verdict.parse(JSON.parse(line))
}

const usage = z.object({ bytes: z.number(), allocatedBytes: z.number(), sharedBytes: z.number(), extents: z.number() })
const inventory = z.object({
  sandboxes: z.array(
    z.object({
      id: z.string(),
      template: z.string(),
      state: z.string(),
      startedAt: z.string(),
      endAt: z.string().nullable(),
      memoryBytes: z.number().nullable(),
      volume: usage.nullable(),
      image: usage.nullable(),
    }),
  ),
  snapshots: z.array(z.object({ id: z.string(), name: z.string().nullable(), sandboxId: z.string(), image: usage })),
  templates: z.array(z.object({ id: z.string(), name: z.string(), image: usage })),
  spares: z.number(),
})
export type Inventory = z.infer<typeof inventory>
/** Bytes of something on the volume; the shared ones in blocks that something else has as well. */
export type SpaceUse = z.infer<typeof usage>

/** What there is and what it costs. */
export async function takeInventory(address: string, key: Secret): Promise<Inventory> {
  return inventory.parse(await (await request(`http://${address}/torpor/inventory`, 'GET', key)).json())
}

async function request(url: string, method: 'GET' | 'DELETE', key: Secret): Promise<Response> {
  const response = await fetch(url, { method, headers: { 'x-api-key': key.reveal() }, signal: AbortSignal.timeout(requestMilliseconds) })
  if (response.ok || response.status === 404) return response
  throw new SetupProblem(`the server answered ${response.status} to ${method} ${new URL(url).pathname}`, {
    mend: response.status === 401 ? 'the key differs from the one it started with: ./torpor down && ./torpor up' : './torpor status',
  })
}
