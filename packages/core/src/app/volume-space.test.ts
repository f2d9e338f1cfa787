import { describe, expect, it } from 'vitest'

import { World, executionOf } from '../testing/world.ts'

const mebibyte = 1024 * 1024
/** One sandbox of the recipe: its memory, the engine's headroom, its assured disk. */
const one = (128 + 256 + 64) * mebibyte

/** A world whose volume shares blocks and has room for so many sandboxes. */
async function worldFor(sandboxes: number): Promise<World> {
  const world = await World.open()
  world.volume.shares = true
  world.volume.free = sandboxes * one
  return world
}

describe('room on a volume whose files share blocks', () => {
  it('is promised to every running sandbox: one more is refused with the figures, and taken when another sleeps', async () => {
    await using world = await worldFor(2)
    const [first] = [await world.create(), await world.create()]
    await expect(world.create()).rejects.toMatchObject({
      kind: 'exhausted',
      status: 429,
      message: expect.stringMatching(/may need 448 MiB, 2 running sandboxes are promised 896 MiB of the 896 MiB that are free/),
    })
    await world.useCases.pauseSandbox(first.id)
    const third = await world.create()
    await expect(world.useCases.connectSandbox(first.id)).rejects.toMatchObject({ kind: 'exhausted' })
    expect(world.record(first.id).state).toBe('paused')
    await world.useCases.killSandbox(third.id)
    expect((await world.useCases.connectSandbox(first.id)).sandbox.state).toBe('running')
  })

  it('is asked for by clones as well: as many as fit are made', async () => {
    await using world = await worldFor(3)
    const { id } = await world.create()
    expect(await world.useCases.cloneSandbox(id, { count: 4, strict: false })).toHaveLength(2)
    await expect(world.useCases.cloneSandbox(id, { count: 1, strict: true })).rejects.toMatchObject({ kind: 'exhausted' })
    expect(world.record(id).state).toBe('running')
  })

  it('is asked for files as well that come from an image, and would be copied when they are written to', async () => {
    await using world = await worldFor(3)
    const { id } = await world.create()
    const stats = world.engine.stats.bind(world.engine)
    world.engine.stats = async (execution) => ({ ...(await stats(execution)), diskBytes: 2 * one })
    await world.useCases.pauseSandbox(id)
    world.engine.stats = stats
    world.volume.free = 2 * one
    await expect(world.useCases.connectSandbox(id)).rejects.toMatchObject({ kind: 'exhausted', message: expect.stringMatching(/1280 MiB/) })
    world.volume.free = 3 * one
    await world.useCases.connectSandbox(id)
    await expect(world.create()).rejects.toMatchObject({ kind: 'exhausted', message: expect.stringMatching(/are promised 1280 MiB/) })
  })

  it('is not needed twice: memory that a sandbox has taken, and shares with nobody, is there already, until it is captured', async () => {
    await using world = await worldFor(3)
    const { id } = await world.create()
    const space = world.engine.space.bind(world.engine)
    // What it has taken is not free any more.
    world.engine.space = async (subject) => ({ ...(await space(subject)), allocatedBytes: 128 * mebibyte + 4096 })
    world.volume.free = 2 * one - 128 * mebibyte
    await world.create()
    world.volume.free -= 128 * mebibyte
    await expect(world.create()).rejects.toMatchObject({ message: expect.stringMatching(/are promised 640 MiB of the 640 MiB/) })
    await expect(world.useCases.createSnapshot(id)).rejects.toMatchObject({ message: expect.stringMatching(/a copy .* may need 145 MiB/) })
    world.volume.free += 145 * mebibyte
    const held = world.engine.faults.hold('capture')
    const snapshot = world.useCases.createSnapshot(id)
    await held.reached
    await expect(world.create()).rejects.toMatchObject({ message: expect.stringMatching(/are promised 768 MiB/) })
    held.release()
    await snapshot
  })

  it('is needed by a snapshot, whose sandbox may write all anew', async () => {
    await using world = await worldFor(1)
    const { id } = await world.create()
    await expect(world.useCases.createSnapshot(id)).rejects.toMatchObject({ kind: 'exhausted', message: expect.stringMatching(/a copy/) })
    world.volume.free += one
    await world.useCases.createSnapshot(id)
  })

  it('is no matter where blocks are not shared', async () => {
    await using world = await worldFor(0)
    world.volume.shares = false
    await world.create()
    expect(world.engine.keptFree).toBe(0)
  })
})

it('what running sandboxes are promised is kept free of what others write, from before they run until they sleep', async () => {
  await using world = await worldFor(10)
  const held = world.engine.faults.hold('restore')
  const creating = world.create()
  await held.reached
  expect(world.engine.keptFree).toBe(one)
  held.release()
  const { id } = await creating
  await world.create()
  await world.until(() => Promise.resolve(world.engine.keptFree === 2 * one))
  await world.useCases.pauseSandbox(id)
  await world.until(() => Promise.resolve(world.engine.keptFree === one))
})

it('what a volume lacks on the disk below it is kept free as well, and the operator hears when promises cannot be kept', async () => {
  await using world = await worldFor(1)
  world.volume.unbacked = 1000
  await world.create()
  expect(world.engine.keptFree).toBe(one + 1000)
  world.volume.unbacked = 5000
  world.volume.free = one - 1
  await world.life.clock.advance(2000)
  expect(world.engine.keptFree).toBe(one + 5000)
  await world.life.clock.advance(20_000)
  expect(world.life.log.filter(({ level }) => level === 'warn')).toMatchObject([{ message: expect.stringMatching(/less room than/) }])
})

it('a pause and a snapshot write memory out while the sandbox runs, before it stands still', async () => {
  await using world = await World.open()
  const record = await world.create()
  const verbs = (): string[] =>
    world.engine.calls
      .filter(({ verb, execution }) => execution === executionOf(record) && ['flush', 'freeze', 'capture', 'thaw'].includes(verb))
      .map(({ verb }) => verb)
  await world.useCases.createSnapshot(record.id)
  expect(verbs()).toEqual(['flush', 'freeze', 'capture', 'thaw'])
  await world.useCases.pauseSandbox(record.id)
  expect(verbs().slice(4)).toEqual(['flush', 'freeze', 'capture'])
})

it('a wake from the image answers first and reads the rest afterwards, and does not fail with that', async () => {
  await using world = await World.open()
  const { id } = await world.createAsleep()
  const held = world.engine.faults.hold('prefetch')
  const { sandbox } = await world.useCases.connectSandbox(id)
  expect(await held.reached).toBe(sandbox.execution)
  await world.engine.vanish(executionOf(sandbox))
  held.release()
  await world.life.clock.advance(0)
  expect(world.life.log.filter(({ message }) => message.includes('read ahead'))).toEqual([])
})
