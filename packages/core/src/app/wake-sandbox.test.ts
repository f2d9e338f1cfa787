import { describe, expect, it } from 'vitest'

import { World } from '../testing/world.ts'

const lifecycle = { onTimeout: 'pause', autoResume: true, pauseKind: 'memory' } as const

describe('traffic', () => {
  it('R5 wakes a sandbox whose lifecycle allows it, and gives its way', async () => {
    await using world = await World.open()
    const { id } = await world.createPaused({ lifecycle })
    const route = await world.platform.wake(id, 3000)
    expect(route).toEqual(world.life.routes.of(id))
    expect([route?.address, world.record(id).state]).toEqual([expect.stringMatching(/^127\./), 'running'])
    expect(world.events(id).at(-1)).toMatchObject({ name: 'resumed', reason: 'traffic' })
  })

  it('R18 wakes one that asked for it by metadata', async () => {
    await using world = await World.open()
    const { id } = await world.createAsleep({ metadata: { auto_resume: 'true' } })
    expect((await world.platform.wake(id, 3000))?.address).toMatch(/^127\./)
  })

  it('leaves all others asleep, and knows none that is gone or unknown', async () => {
    await using world = await World.open()
    const [asleep, killed] = [await world.createPaused({ metadata: { auto_resume: 'yes' } }), await world.createPaused({ lifecycle })]
    await world.useCases.killSandbox(killed.id)
    for (const id of [asleep.id, killed.id, 'i0']) expect(await world.platform.wake(id, 3000)).toBeUndefined()
    expect(world.record(asleep.id).state).toBe('paused')
  })

  it('waits for a resume that somebody else began', async () => {
    await using world = await World.open()
    const { id } = await world.createPaused()
    const held = world.engine.faults.hold('thaw')
    const connect = world.useCases.connectSandbox(id)
    await held.reached
    const wake = world.platform.wake(id, 3000)
    held.release()
    await connect
    expect((await wake)?.address).toMatch(/^127\./)
  })

  it('of twenty requests wakes once', async () => {
    await using world = await World.open()
    const { id } = await world.createAsleep({ lifecycle })
    const routes = await Promise.all(Array.from({ length: 20 }, () => world.platform.wake(id, 3000)))
    expect(new Set(routes.map((route) => route?.address)).size).toBe(1)
    expect(world.events(id).filter(({ name }) => name === 'resumed')).toHaveLength(1)
  })

  it.each([
    [60, 300],
    [3600, 3600],
  ])('R7 R8 gives a sandbox of %d s %d s', async (timeoutSeconds, woken) => {
    await using world = await World.open()
    const { id } = await world.createPaused({ lifecycle, timeoutSeconds })
    await world.platform.wake(id, 3000)
    expect(world.record(id).endAt).toBe(world.life.clock.now() + woken * 1000)
  })
})
