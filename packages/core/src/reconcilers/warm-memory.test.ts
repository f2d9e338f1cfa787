import { describe, expect, it } from 'vitest'

import { World, executionOf } from '../testing/world.ts'

/** What one frozen sandbox of the fake engine holds, and a bit. */
const one = 17 * 1024 * 1024

describe('warm memory', () => {
  it('evicts the sandbox paused longest ago when there are more than fit', async () => {
    await using world = await World.open({ warmMemoryBytes: 2 * one })
    const [first, second, third] = [await world.create(), await world.create(), await world.create()]
    for (const { id } of [second, first, third]) {
      await world.useCases.pauseSandbox(id)
      await world.life.clock.advance(1000)
    }
    await world.life.watched.recordThat(second.id, ({ execution }) => execution === null)
    expect([first, third].map(({ id }) => world.record(id).execution)).toEqual([first.execution, third.execution])
    expect(await world.imageFiles()).toHaveLength(3)
  })

  it('gives the memory back, and the sandbox wakes from its image as it was', async () => {
    await using world = await World.open({ warmMemoryBytes: 0 })
    const before = await world.create()
    world.memoryOf(before.id).counter = 8
    await world.useCases.pauseSandbox(before.id)
    await world.life.watched.recordThat(before.id, ({ execution }) => execution === null)
    await world.life.clock.advance(0)
    expect(await world.engine.list()).toEqual([])
    await world.useCases.connectSandbox(before.id)
    expect(world.memoryOf(before.id).counter).toBe(8)
  })

  it('counts again from the most recently paused after a resume', async () => {
    await using world = await World.open({ warmMemoryBytes: one })
    const [first, second] = [await world.create(), await world.create()]
    await world.useCases.pauseSandbox(first.id)
    await world.life.clock.advance(1000)
    await world.useCases.connectSandbox(first.id)
    await world.useCases.pauseSandbox(second.id)
    await world.life.clock.advance(1000)
    await world.useCases.pauseSandbox(first.id)
    await world.life.watched.recordThat(second.id, ({ execution }) => execution === null)
    expect(executionOf(world.record(first.id))).toBe(first.execution)
  })

  it('is not stopped by a process that vanished', async () => {
    await using world = await World.open({ warmMemoryBytes: one })
    const [vanished, older] = [await world.create(), await world.create()]
    await world.useCases.pauseSandbox(older.id)
    await world.life.clock.advance(1000)
    await world.useCases.pauseSandbox(vanished.id)
    await world.engine.vanish(executionOf(vanished))
    const last = await world.create()
    await world.life.clock.advance(1000)
    await world.useCases.pauseSandbox(last.id)
    await world.life.watched.recordThat(older.id, ({ execution }) => execution === null)
    expect(world.life.log.filter(({ level }) => level === 'error')).toEqual([])
  })

  it('lets a connect that comes during the eviction have the sandbox from its image', async () => {
    await using world = await World.open({ warmMemoryBytes: 0 })
    const { id } = await world.create()
    const held = world.engine.faults.hold('destroy')
    await world.useCases.pauseSandbox(id)
    await held.reached
    const connect = world.useCases.connectSandbox(id)
    held.release()
    expect((await connect).sandbox.state).toBe('running')
  })
})
