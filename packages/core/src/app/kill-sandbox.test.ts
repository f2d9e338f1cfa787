import { describe, expect, it } from 'vitest'

import { World } from '../testing/world.ts'

/** No record, no process, no image, no route; its end is on record. */
async function expectGone(world: World, id: string, reason = 'api'): Promise<void> {
  expect(() => world.record(id)).toThrow(expect.objectContaining({ kind: 'not_found' }))
  expect([await world.engine.list(), await world.imageFiles(), world.life.routes.of(id)]).toEqual([[], [], undefined])
  expect(world.events(id).at(-1)).toMatchObject({ name: 'killed', reason })
  expect(world.events(id).filter(({ name }) => name === 'killed')).toHaveLength(1)
}

describe('kill', () => {
  it.each(['create', 'createPaused', 'createAsleep'] as const)('P15 P16 P22 P27 leaves nothing of one made by %s', async (make) => {
    await using world = await World.open()
    const { id } = await world[make]()
    await world.useCases.killSandbox(id)
    await expectGone(world, id)
    await expect(world.useCases.killSandbox(id)).rejects.toMatchObject({ kind: 'not_found' })
  })

  it('joins: five at once are one end', async () => {
    await using world = await World.open()
    const { id, execution } = await world.create()
    await Promise.all(Array.from({ length: 5 }, () => world.useCases.killSandbox(id)))
    expect(world.engine.calls.filter(({ verb, execution: ended }) => verb === 'destroy' && ended === execution)).toHaveLength(1)
    await expectGone(world, id)
  })

  it('leaves the others alone', async () => {
    await using world = await World.open()
    const [first, second] = [await world.create(), await world.create()]
    await world.useCases.killSandbox(first.id)
    expect(await world.engine.list()).toMatchObject([{ execution: second.execution, status: 'running' }])
  })
})

describe('kill overtakes', () => {
  it.each(['freeze', 'stats', 'capture'] as const)('a pause that is held at %s, without waiting for it', async (verb) => {
    await using world = await World.open()
    const { id } = await world.create()
    const held = world.engine.faults.hold(verb)
    const pause = world.useCases.pauseSandbox(id).catch((error: unknown) => error)
    await held.reached
    await world.useCases.killSandbox(id)
    expect(await pause).toMatchObject({ kind: 'not_found' })
    await expectGone(world, id)
    held.release()
  })

  it.each(['stage', 'commit', 'committed'] as const)('a pause that is at %s of its image', async (step) => {
    await using world = await World.open()
    const { id } = await world.create()
    const held = world.life.imageFaults.hold(step)
    const pause = world.useCases.pauseSandbox(id).catch((error: unknown) => error)
    await held.reached
    const kill = world.useCases.killSandbox(id)
    held.release()
    await kill
    expect(await pause).toMatchObject({ kind: 'not_found' })
    await expectGone(world, id)
  })

  it('a resume from the frozen process', async () => {
    await using world = await World.open()
    const { id } = await world.createPaused()
    const held = world.engine.faults.hold('thaw')
    const connect = world.useCases.connectSandbox(id).catch((error: unknown) => error)
    await held.reached
    await world.useCases.killSandbox(id)
    expect(await connect).toMatchObject({ kind: 'not_found' })
    await expectGone(world, id)
    held.release()
  })

  it.each(['healthy', 'init'] as const)('a resume from the image that is at %s', async (step) => {
    await using world = await World.open()
    const { id } = await world.createAsleep()
    const held = world.life.agentFaults.hold(step)
    const connect = world.useCases.connectSandbox(id).catch((error: unknown) => error)
    await held.reached
    const kill = world.useCases.killSandbox(id)
    held.release()
    await kill
    expect(await connect).toMatchObject({ kind: 'not_found' })
    await expectGone(world, id)
  })

  it('a resume whose restore has just begun', async () => {
    await using world = await World.open()
    const { id } = await world.createAsleep()
    const held = world.engine.faults.hold('restore')
    const connect = world.useCases.connectSandbox(id).catch((error: unknown) => error)
    await held.reached
    const kill = world.useCases.killSandbox(id)
    held.release()
    await kill
    expect(await connect).toMatchObject({ kind: 'not_found' })
    await expectGone(world, id)
  })

  it('everybody who waits: pause, connect and kill at once end with it gone', async () => {
    await using world = await World.open()
    const { id } = await world.create()
    const held = world.engine.faults.hold('capture')
    const others = [world.useCases.pauseSandbox(id)]
    await held.reached
    const connects = [world.useCases.connectSandbox(id), world.useCases.connectSandbox(id)]
    const kill = world.useCases.killSandbox(id)
    const outcomes = await Promise.allSettled([...others, ...connects])
    held.release()
    await kill
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason.kind)).toEqual(['not_found', 'not_found', 'not_found'])
    await expectGone(world, id)
  })
})
