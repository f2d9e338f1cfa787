import { TorporError } from '@torpor/contract'
import { describe, expect, it } from 'vitest'

import { World, executionOf, recipe } from '../testing/world.ts'

const broken = new TorporError('internal', 'ordered by the test')
const spares = async ({ engine }: World): Promise<string[]> =>
  (await engine.list()).filter(({ status }) => status === 'frozen').map(({ execution }) => execution)

/** Lets the pool fill, and waits until it stands. */
async function filled(world: World, freezes: number): Promise<void> {
  const held = Array.from({ length: freezes }, () => world.engine.faults.hold('freeze'))
  const filling = world.life.clock.advance(100)
  for (const each of held) {
    await each.reached
    each.release()
  }
  await filling
  await world.life.clock.advance(0)
}

describe('the warm pool', () => {
  it('keeps ready sandboxes, of which a create takes one and gives it its identity', async () => {
    await using world = await World.open({ warmPoolSize: 2 })
    await filled(world, 2)
    const ready = await spares(world)
    const before = world.engine.calls.length
    const record = await world.create()
    expect(ready).toContain(record.execution)
    const verbs = world.engine.calls.slice(before).map(({ verb }) => verb)
    expect(verbs.filter((verb) => verb === 'thaw' || verb === 'restore')).toEqual(['thaw'])
    expect(world.memoryOf(record.id).identity).toMatchObject({
      sandboxId: record.id,
      hostname: record.id,
      accessToken: `access-${record.id}`,
    })
    await filled(world, 1)
    expect(await spares(world)).toHaveLength(2)
  })

  it('has told a spare all but its owner, and let it run a first command', async () => {
    await using world = await World.open({ warmPoolSize: 1 })
    await filled(world, 1)
    const memory = world.engine.memory((await spares(world))[0] ?? '')
    expect(memory.identity).toEqual({ templateId: expect.any(String), hostname: 'spare', nameservers: expect.any(Array) })
    expect(memory.commands).toHaveLength(1)
  })

  it('ends a spare that cannot be prepared', async () => {
    await using world = await World.open({ warmPoolSize: 1 })
    world.life.agentFaults.failNext('prepare', broken)
    await world.life.clock.advance(100)
    await world.life.clock.advance(0)
    expect(await world.engine.list()).toEqual([])
  })

  it('gives each spare to one create only', async () => {
    await using world = await World.open({ warmPoolSize: 2 })
    await filled(world, 2)
    const created = await Promise.all(Array.from({ length: 4 }, () => world.create()))
    expect(new Set(created.map((record) => executionOf(record))).size).toBe(4)
    expect(await spares(world)).toEqual([])
  })

  it('is passed by for a sandbox without internet access', async () => {
    await using world = await World.open({ warmPoolSize: 1 })
    await filled(world, 1)
    const ready = await spares(world)
    const { execution } = await world.create({
      network: { allowInternetAccess: false, allowOut: [], denyOut: [], allowPublicTraffic: true, maskRequestHost: null },
    })
    expect([ready.includes(execution ?? ''), await spares(world)]).toEqual([false, ready])
  })

  it('does without a spare that died, that cannot be thawed, or that does not take its identity', async () => {
    await using world = await World.open({ warmPoolSize: 3 })
    await filled(world, 3)
    const [dead] = await spares(world)
    await world.engine.crash(dead ?? '', 137)
    world.engine.faults.failNext('thaw', broken)
    world.life.agentFaults.failNext('init', broken)
    await expect(world.create()).rejects.toBe(broken)
    expect([world.store.allSandboxes(), await world.engine.list()]).toEqual([[], []])
    await world.create()
  })

  it('ends the spares of a template that was built anew', async () => {
    await using world = await World.open({ warmPoolSize: 1 })
    await filled(world, 1)
    const [old] = await spares(world)
    // The build's own freeze comes first.
    const held = [world.engine.faults.hold('freeze'), world.engine.faults.hold('freeze')]
    const built = world.platform.ensureTemplate({ ...recipe, base: { rootfs: 'new', agent: 'agent' } })
    await held[0]?.reached
    held[0]?.release()
    await built
    const filling = world.life.clock.advance(200)
    await held[1]?.reached
    held[1]?.release()
    await filling
    expect(await spares(world)).not.toContain(old)
  })

  it('leaves nothing behind at an orderly stop', async () => {
    await using world = await World.open({ warmPoolSize: 2 })
    await filled(world, 2)
    await world.platform.close()
    expect(await world.engine.list()).toEqual([])
  })

  it('is swept by the server that comes after a crash', async () => {
    await using world = await World.open({ warmPoolSize: 2 })
    await filled(world, 2)
    expect(await world.restart()).toMatchObject({ orphans: 2 })
    expect(await world.engine.list()).toEqual([])
  })
})
