import { TorporError } from '@torpor/contract'
import { describe, expect, it } from 'vitest'

import { World, executionOf } from '../testing/world.ts'
import { steps } from './steps.ts'

const broken = new TorporError('no_space', 'ordered by the test')

describe('pause', () => {
  it('P1 P3 leaves a durable image of generation N+1 and the frozen process', async () => {
    await using world = await World.open()
    const before = await world.create()
    await world.life.clock.advance(1000)
    await world.useCases.pauseSandbox(before.id)
    const image = { name: `${before.id}/g1`, kind: 'memory', engineVersion: 'fake-1' }
    const pausedAt = world.life.clock.now()
    expect(world.record(before.id)).toEqual({ ...before, state: 'paused', generation: 1, image, pausedAt })
    expect(await world.imageFiles()).toEqual([image.name])
    expect(await world.engine.list()).toMatchObject([{ execution: before.execution, status: 'frozen' }])
    expect(world.events(before.id).map(({ name, reason }) => [name, reason])).toEqual([
      ['created', 'api'],
      ['pausing', 'api'],
      ['paused', 'api'],
    ])
  })

  it('P19 cuts the sandbox off before it is frozen', async () => {
    await using world = await World.open()
    const { id } = await world.create()
    const held = world.engine.faults.hold('freeze')
    const pause = world.useCases.pauseSandbox(id)
    await held.reached
    expect([world.life.routes.of(id)?.address, world.life.routes.cut]).toEqual([null, [id]])
    held.release()
    await pause
    expect(world.life.routes.of(id)).toMatchObject({ address: null, accessToken: `access-${id}` })
  })

  it('refuses a paused one with conflict, and an unknown one with not_found', async () => {
    await using world = await World.open()
    const { id } = await world.createPaused()
    await expect(world.useCases.pauseSandbox(id)).rejects.toMatchObject({ kind: 'conflict', status: 409 })
    await expect(world.useCases.pauseSandbox('i0')).rejects.toMatchObject({ kind: 'not_found' })
    expect(world.record(id).generation).toBe(1)
  })

  it('joins a pause in progress: one capture for three callers', async () => {
    await using world = await World.open()
    const { id } = await world.create()
    const captures = (): number => world.engine.calls.filter(({ verb }) => verb === 'capture').length
    const before = captures()
    await Promise.all([1, 2, 3].map(() => world.useCases.pauseSandbox(id)))
    expect([captures() - before, world.record(id).generation]).toEqual([1, 1])
  })

  it('P26 counts generations on, and only the last image stays', async () => {
    await using world = await World.open()
    const { id } = await world.createPaused()
    await world.useCases.connectSandbox(id)
    await world.useCases.pauseSandbox(id)
    expect(world.record(id)).toMatchObject({ generation: 2, image: { name: `${id}/g2` } })
    expect(await world.imageFiles()).toEqual([`${id}/g2`])
  })
})

describe('a pause that fails', () => {
  const steps: readonly [string, (world: World) => void][] = [
    ['the freeze', ({ engine }) => engine.faults.failNext('freeze', broken)],
    ['the statistics', ({ engine }) => engine.faults.failNext('stats', broken)],
    ['the making of the draft', ({ life }) => life.imageFaults.failNext('stage', broken)],
    ['the capture', ({ engine }) => engine.faults.failNext('capture', broken)],
    ['the commit of the image', ({ life }) => life.imageFaults.failNext('commit', broken)],
    ['the commit of the record', ({ life }) => life.watched.failNextUpdate(({ state }) => state === 'paused', broken)],
  ]

  it.each(steps)('at %s leaves the sandbox as it was, running, twice; then it pauses', async (_step, order) => {
    await using world = await World.open()
    const before = await world.create()
    const route = world.life.routes.of(before.id)
    for (let run = 0; run < 2; run += 1) {
      order(world)
      await expect(world.useCases.pauseSandbox(before.id)).rejects.toBe(broken)
      expect(world.record(before.id)).toEqual(before)
      expect(await world.engine.list()).toMatchObject([{ execution: before.execution, status: 'running' }])
      expect(world.life.routes.of(before.id)).toEqual(route)
      expect(await world.imageFiles()).toEqual([])
    }
    expect(world.life.log.filter(({ level }) => level !== 'info')).toEqual([])
    await world.useCases.pauseSandbox(before.id)
    expect(world.record(before.id)).toMatchObject({ state: 'paused', generation: 1 })
    expect(await world.imageFiles()).toEqual([`${before.id}/g1`])
  })

  it('after the rename leaves the sandbox running, and the next pause takes the place of the image that no record names', async () => {
    await using world = await World.open()
    const before = await world.create()
    world.life.imageFaults.failNext('committed', broken)
    await expect(world.useCases.pauseSandbox(before.id)).rejects.toBe(broken)
    expect(world.record(before.id)).toEqual(before)
    world.memoryOf(before.id).counter = 6
    await world.useCases.pauseSandbox(before.id)
    await world.engine.vanish(executionOf(before))
    await world.useCases.connectSandbox(before.id)
    expect(world.memoryOf(before.id).counter).toBe(6)
  })

  it('logs an undo that fails, and still reports what went wrong first', async () => {
    await using world = await World.open()
    const { id } = await world.create()
    world.engine.faults.failNext('capture', broken)
    for (let tries = 0; tries < 5; tries += 1) world.engine.faults.failNext('thaw', new TorporError('internal', 'another one'))
    const pause = world.useCases.pauseSandbox(id).catch((error: unknown) => error)
    expect(await world.life.clock.runUntil(pause)).toBe(broken)
    expect(world.life.log).toContainEqual(expect.objectContaining({ level: 'warn', message: 'an undo failed' }))
  })
})

describe('a server that dies in a pause', () => {
  it.each(['stats', 'freeze'] as const)('before %s leaves it running with what it remembers', async (verb) => {
    await using world = await World.open()
    const before = await world.create()
    world.memoryOf(before.id).counter = 9
    const held = world.engine.faults.hold(verb)
    // Nobody answers any more.
    world.useCases.pauseSandbox(before.id).catch(() => undefined)
    await held.reached
    const restarted = world.restart()
    held.release()
    expect(await restarted).toEqual({ running: 1, paused: 0, lost: 0, orphans: 0 })
    await expectRunning(world, before.id)
  })

  it.each(steps.pause)(
    'P8 after "%s" loses nothing: it runs on or its pause is finished, and it wakes with what it remembers',
    async (step) => {
      await using world = await World.open()
      const { id } = await world.create()
      world.memoryOf(id).counter = 9
      const held = world.life.steps.hold(step)
      world.useCases.pauseSandbox(id).catch(() => undefined)
      await held.reached
      const restarted = world.restart()
      held.release()
      const isRecorded = steps.pause.indexOf(step) >= steps.pause.indexOf('pause recorded')
      expect(await restarted).toEqual({ running: isRecorded ? 0 : 1, paused: isRecorded ? 1 : 0, lost: 0, orphans: 0 })
      if (!isRecorded) return await expectRunning(world, id)
      await world.life.watched.recordThat(id, ({ state, image }) => state === 'paused' && image !== null)
      await world.until(async () => (await world.imageFiles()).length === 1)
      expect(await world.imageFiles()).toEqual([`${id}/g1`])
      expect(world.record(id)).toMatchObject({ generation: 1, pausing: null, image: { name: `${id}/g1` } })
      await world.engine.vanish(executionOf(world.record(id)))
      await world.useCases.connectSandbox(id)
      expect(world.memoryOf(id).counter).toBe(9)
    },
  )

  it('and whose process is gone with the machine reports it lost, and nothing older is put in its place', async () => {
    await using world = await World.open()
    const { id } = await world.createPaused()
    await world.useCases.connectSandbox(id)
    const held = world.life.steps.hold('pause recorded')
    world.useCases.pauseSandbox(id).catch(() => undefined)
    await held.reached
    await world.engine.vanish(executionOf(world.record(id)))
    expect(await world.restart()).toEqual({ running: 0, paused: 0, lost: 1, orphans: 0 })
    expect(world.events(id).at(-1)).toMatchObject({ name: 'killed', reason: 'lost while it was paused' })
    expect([world.store.allSandboxes(), await world.imageFiles()]).toEqual([[], []])
  })

  async function expectRunning(world: World, id: string): Promise<void> {
    const record = world.record(id)
    expect(record).toMatchObject({ state: 'running', generation: 0, image: null })
    expect(await world.engine.list()).toMatchObject([{ execution: executionOf(record), status: 'running' }])
    expect([world.memoryOf(id).counter, await world.imageFiles()]).toEqual([9, []])
    await world.useCases.pauseSandbox(id)
    expect(await world.imageFiles()).toEqual([`${id}/g1`])
  }
})
