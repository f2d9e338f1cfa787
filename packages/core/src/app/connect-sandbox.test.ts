import { describe, expect, it } from 'vitest'

import { World } from '../testing/world.ts'

describe('connect to a running sandbox', () => {
  it('P23 extends its time to the one that was asked for', async () => {
    await using world = await World.open()
    const { id } = await world.create({ timeoutSeconds: 60 })
    await world.life.clock.advance(30_000)
    const { sandbox, resumed } = await world.useCases.connectSandbox(id, 600)
    expect([resumed, sandbox.endAt]).toEqual([false, world.life.clock.now() + 600_000])
    expect(world.record(id)).toEqual(sandbox)
  })

  it('P18 never shortens it', async () => {
    await using world = await World.open()
    const before = await world.create({ timeoutSeconds: 3600 })
    expect((await world.useCases.connectSandbox(before.id, 15)).sandbox).toEqual(before)
    expect((await world.useCases.connectSandbox(before.id)).sandbox.endAt).toBe(before.endAt)
  })

  it.each([0, -1, 86_401])('refuses a timeout of %d and leaves it as it is', async (timeout) => {
    await using world = await World.open()
    const before = await world.create()
    await expect(world.useCases.connectSandbox(before.id, timeout)).rejects.toMatchObject({ kind: 'invalid_argument' })
    expect(() => world.useCases.setTimeout(before.id, timeout)).toThrow(expect.objectContaining({ kind: 'invalid_argument' }))
    expect(world.record(before.id)).toEqual(before)
  })
})

describe('the old resume call', () => {
  it('is a conflict for a running sandbox', async () => {
    await using world = await World.open()
    const { id } = await world.create()
    await expect(world.useCases.resumeSandbox(id, {})).rejects.toMatchObject({ kind: 'conflict', status: 409 })
  })

  it('resumes a paused one with its lifecycle, or with another one', async () => {
    await using world = await World.open()
    const { id } = await world.createPaused({ lifecycle: { onTimeout: 'pause', autoResume: true, pauseKind: 'memory' } })
    expect(await world.useCases.resumeSandbox(id, { timeoutSeconds: 20 })).toMatchObject({
      state: 'running',
      endAt: world.life.clock.now() + 20_000,
      lifecycle: { onTimeout: 'pause', autoResume: true, pauseKind: 'memory' },
    })
    await world.useCases.pauseSandbox(id)
    const changed = await world.useCases.resumeSandbox(id, { autoPause: false })
    expect(changed.lifecycle).toEqual({ onTimeout: 'kill', autoResume: true, pauseKind: 'memory' })
  })
})

describe('setTimeout', () => {
  it('L3 sets the end, longer or shorter', async () => {
    await using world = await World.open()
    const { id } = await world.create()
    for (const seconds of [3600, 10]) {
      world.useCases.setTimeout(id, seconds)
      expect(world.record(id)).toMatchObject({ endAt: world.life.clock.now() + seconds * 1000, timeoutSeconds: seconds })
    }
  })

  it('is not_found for one that does not run', async () => {
    await using world = await World.open()
    const { id } = await world.createPaused()
    for (const [seconds, sandbox] of [[10, id] as const, [10, 'i0'] as const]) {
      expect(() => world.useCases.setTimeout(sandbox, seconds)).toThrow(expect.objectContaining({ kind: 'not_found' }))
      expect(() => world.useCases.refresh(sandbox, seconds)).toThrow(expect.objectContaining({ kind: 'not_found' }))
    }
  })
})

describe('refresh', () => {
  it('extends and never shortens', async () => {
    await using world = await World.open()
    const { id, endAt } = await world.create({ timeoutSeconds: 100 })
    world.useCases.refresh(id, 50)
    expect(world.record(id).endAt).toBe(endAt)
    world.useCases.refresh(id, 150)
    expect(world.record(id).endAt).toBe(endAt + 50_000)
  })
})
