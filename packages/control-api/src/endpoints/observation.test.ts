import type { Sample } from '@torpor/core'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { startApi } from '../testing/fake-core.ts'

const mebibyte = 1024 * 1024
const sample = (sandboxId: string, at: number): Sample => ({
  sandboxId,
  at,
  cpuCount: 2,
  cpuUsedPercent: 12.5,
  memoryUsedBytes: 100 * mebibyte,
  memoryTotalBytes: 1024 * mebibyte,
  diskUsedBytes: 4096,
  diskTotalBytes: 20_480 * mebibyte,
})
const wire = {
  cpuCount: 2,
  cpuUsedPct: 12.5,
  memUsed: 100 * mebibyte,
  memTotal: 1024 * mebibyte,
  memCache: 0,
  memUsedMiB: 100,
  memTotalMiB: 1024,
  diskUsed: 4096,
  diskTotal: 20_480 * mebibyte,
}

describe('the metrics of a sandbox', () => {
  test('M1 M3 come in bytes and MiB, with both times', async () => {
    const { ask, core } = startApi()
    const { id } = core.add()
    core.samples.push(sample(id, 1_766_572_800_500))
    const answer = await ask(`GET /sandboxes/${id}/metrics`)
    expect(await answer.json()).toEqual([{ timestamp: '2025-12-24T10:40:00.500Z', timestampUnix: 1_766_572_800, ...wire }])
  })

  test('can be asked for a range in unix seconds, the last one as a whole', async () => {
    const { ask, core } = startApi()
    const { id } = core.add()
    await ask(`GET /sandboxes/${id}/metrics?start=5&end=7`)
    expect(core.asked).toContainEqual({ name: 'metrics', with: { id, range: { from: 5000, to: 7999 } } })
    expect((await ask(`GET /sandboxes/${id}/metrics?start=1766572800500000`)).status).toBe(400)
  })

  test('can be asked for many sandboxes at once: the last of each that has one', async () => {
    const { ask, core } = startApi()
    const [one, other] = [core.add(), core.add()]
    core.samples.push(sample(one.id, 1000), sample(one.id, 2000))
    const answer = await ask(`GET /sandboxes/metrics?sandbox_ids=${one.id},${other.id},nonsense`)
    expect(await answer.json()).toEqual({ sandboxes: { [one.id]: expect.objectContaining({ timestampUnix: 2 }) } })
    const many = Array.from({ length: 101 }, () => one.id).join(',')
    expect([(await ask('GET /sandboxes/metrics')).status, (await ask(`GET /sandboxes/metrics?sandbox_ids=${many}`)).status]).toEqual([
      400, 400,
    ])
  })
})

const firstLogs = z.object({ logs: z.array(z.object({ timestamp: z.string(), line: z.string() })), logEntries: z.array(z.unknown()) })

describe('the log of a sandbox', () => {
  test('comes in lines that the command line reads, and as entries', async () => {
    const { ask, core } = startApi()
    const { id } = core.add()
    const answer = await ask(`GET /sandboxes/${id}/logs?start=500&limit=10`)
    const body = firstLogs.parse(await answer.json())
    expect(core.asked.at(-1)).toEqual({ name: 'logs', with: { id, query: { from: 500, order: 'asc', limit: 10 } } })
    const entry = { timestamp: '1970-01-01T00:00:01.000Z', level: 'info', message: 'process started' }
    expect(body).toEqual({
      logs: [{ timestamp: entry.timestamp, line: expect.any(String) }],
      logEntries: [{ ...entry, fields: { pid: '7' } }],
    })
    expect(JSON.parse(body.logs[0]?.line ?? '')).toEqual({ ...entry, logger: 'agent', pid: '7' })
  })

  test('can be asked for backward from a time, by level and by words', async () => {
    const { ask, core } = startApi()
    const { id } = core.add()
    await ask(`GET /v2/sandboxes/${id}/logs?cursor=900&direction=backward&level=warn&search=oom&limit=5`)
    const query = { to: 900, order: 'desc', level: 'warn', search: 'oom', limit: 5 }
    expect(core.asked.at(-1)).toEqual({ name: 'logs', with: { id, query } })
    expect((await ask(`GET /v2/sandboxes/${id}/logs?level=loud`)).status).toBe(400)
  })
})

test('the inventory says what each sandbox costs, and which are damaged', async () => {
  const { ask, core } = startApi()
  const [whole, damaged] = [core.add(), core.add({ state: 'paused', damage: 'a page differs' })]
  const image = { bytes: 2048, allocatedBytes: 1024, sharedBytes: 512, extents: 1 }
  expect(await (await ask('GET /torpor/inventory')).json()).toMatchObject({
    sandboxes: [
      { id: whole.id, state: 'running', memoryBytes: 4096, image: null },
      { id: damaged.id, state: 'damaged', endAt: null },
    ],
    templates: [{ name: 'base', image }],
    spares: 2,
  })
})
