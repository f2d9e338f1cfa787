import { expect, it } from 'vitest'

import { World, executionOf } from '../testing/world.ts'

const all = { from: 0, to: Number.MAX_SAFE_INTEGER }

it('M2 M4 M5 takes a sample at once, then every two seconds, and one right before the end', async () => {
  await using world = await World.open()
  const { id, resources } = await world.create()
  await world.life.clock.advance(0)
  await world.until(() => Promise.resolve(world.useCases.metrics(id, all).length === 1))
  for (let passes = 0; passes < 3; passes += 1) await world.life.clock.advance(2000)
  await world.until(() => Promise.resolve(world.useCases.metrics(id, all).length >= 3))
  const before = world.useCases.metrics(id, all).length
  await world.life.clock.advance(500)
  await world.useCases.killSandbox(id)
  const samples = world.useCases.metrics(id, all)
  expect(samples).toHaveLength(before + 1)
  expect(samples.at(-1)).toMatchObject({ sandboxId: id, at: world.life.clock.now(), memoryTotalBytes: resources.memoryMiB * 1024 ** 2 })
  expect(world.useCases.lastMetrics([id, 'i0'])).toEqual(samples.slice(-1))
})

it('does not put an end off for a sample or a log', async () => {
  await using world = await World.open()
  const { id } = await world.create()
  const held = world.engine.faults.hold('stats')
  const kill = world.useCases.killSandbox(id)
  await held.reached
  await world.life.clock.runUntil(kill)
  held.release()
  expect(world.store.getSandbox(id)).toBeUndefined()
})

it('samples nothing while nothing runs, and forgets what is a day old', async () => {
  await using world = await World.open()
  const { id } = await world.createPaused()
  const before = world.useCases.metrics(id, all)
  await world.life.clock.advance(60_000)
  expect(world.useCases.metrics(id, all)).toEqual(before)
  await world.life.clock.advance(25 * 3_600_000)
  await world.until(() => Promise.resolve(world.useCases.metrics(id, all).length === 0))
})

it('tells a log of the sandbox’s life with reasons, in both directions, by level and words, also after its end', async () => {
  await using world = await World.open()
  const { id } = await world.create()
  await world.life.clock.advance(10)
  await world.useCases.createSnapshot(id)
  await world.life.clock.advance(10)
  await world.engine.crash(executionOf(world.record(id)), 137)
  await world.life.watched.until(() => world.store.getSandbox(id) === undefined)
  const messages = async (query: object): Promise<string[]> =>
    (await world.useCases.logs(id, { order: 'asc', limit: 100, ...query })).map(({ level, message }) => `${level} ${message}`)
  expect(await messages({})).toEqual(['info sandbox created', 'info sandbox snapshotted', 'error sandbox killed'])
  expect(await messages({ order: 'desc', limit: 1 })).toEqual(['error sandbox killed'])
  expect([await messages({ level: 'warn' }), await messages({ search: 'SNAP' })]).toEqual([
    ['error sandbox killed'],
    ['info sandbox snapshotted'],
  ])
  await expect(world.useCases.logs('i0', { order: 'asc', limit: 1 })).rejects.toMatchObject({ kind: 'not_found' })
  expect(() => world.useCases.metrics('i0', all)).toThrow(expect.objectContaining({ kind: 'not_found' }))
})
