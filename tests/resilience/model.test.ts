import { Model, happening } from '@torpor/core/testing'
import { type TestWorld, bootWorld } from '@torpor/testkit'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'

let world: TestWorld
beforeAll(async () => {
  world = await bootWorld({ TORPOR_WARM_MEMORY: '600', TORPOR_MEMORY_MIB: '256', TORPOR_MEMORY_OVERCOMMIT: '10' })
})
afterAll(async () => {
  await world?.close()
})

const file = '/dev/shm/counter'

/** A file in memory, by the agent's own door: what comes back came out of the image or the frozen process. */
const reach = (id: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`http://${world.addressOf(id)}:49983/files?path=${file}&username=root`, {
    ...init,
    headers: { 'x-access-token': world.tokenOf(id), 'content-type': 'application/octet-stream' },
  })

async function counter(id: string): Promise<number> {
  const response = await reach(id)
  return response.status === 404 ? 0 : Number(await response.text())
}

async function count(id: string): Promise<void> {
  const { status } = await reach(id, { method: 'POST', body: String((await counter(id)) + 1) })
  expect(status).toBe(200)
}

const command = {
  template: 'base',
  secure: true,
  lifecycle: { onTimeout: 'kill', autoResume: false, pauseKind: 'memory' },
  network: { allowInternetAccess: null, allowOut: [], denyOut: [], allowPublicTraffic: true, maskRequestHost: null },
  metadata: {},
  env: {},
} as const

test('any sequence of calls, together and alone, does on gVisor what the model says', { timeout: 900_000 }, async () => {
  const { useCases } = world
  const create = async (template?: string): Promise<string> =>
    (await useCases.createSandbox({ ...command, ...(template !== undefined && { template }) })).id
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 1, maxLength: 5 }), async (sequence) => {
      const model = new Model({ useCases, create, counter, count })
      await model.happens({ what: 'create' })
      for (const each of sequence) {
        await model.happens(each)
        await model.check()
      }
      const { sandboxes } = useCases.listSandboxes({ states: ['running', 'paused'], metadata: {}, order: 'asc', limit: 1000 })
      await Promise.all(sandboxes.map(({ id }) => useCases.killSandbox(id)))
      await Promise.all(useCases.listSnapshots({ limit: 1000 }).snapshots.map(({ id }) => useCases.deleteTemplate(id)))
      expect(useCases.quota().usage.sandboxes).toBe(0)
    }),
    { numRuns: Number(process.env['TORPOR_TEST_MODEL_RUNS'] ?? 200), endOnFailure: true },
  )
})
