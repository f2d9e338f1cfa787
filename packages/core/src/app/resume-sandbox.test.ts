import { TorporError } from '@torpor/contract'
import { describe, expect, it } from 'vitest'

import { World, executionOf } from '../testing/world.ts'

const broken = new TorporError('internal', 'ordered by the test')
const verbs = ({ engine }: World): string[] => engine.calls.map(({ verb }) => verb)

describe('resume', () => {
  it('P12 thaws the frozen process: same id, same memory, its image is dropped', async () => {
    await using world = await World.open()
    const before = await world.create()
    world.memoryOf(before.id).counter = 5
    await world.useCases.pauseSandbox(before.id)
    const { sandbox, resumed } = await world.useCases.connectSandbox(before.id)
    expect(resumed).toBe(true)
    expect(sandbox).toMatchObject({ id: before.id, state: 'running', execution: before.execution, pausedAt: null })
    expect(world.memoryOf(before.id).counter).toBe(5)
    expect(world.life.routes.of(before.id)?.address).toMatch(/^127\./)
    await world.life.clock.advance(250)
    await world.life.watched.recordThat(before.id, ({ image }) => image === null)
    expect(world.events(before.id).map(({ name }) => name)).toEqual(['created', 'pausing', 'paused', 'resumed'])
  })

  it('P1 P3 restores the image when the process is gone: same id, same memory, new process', async () => {
    await using world = await World.open()
    const before = await world.create({ env: { A: 'b' } })
    world.memoryOf(before.id).counter = 5
    await world.useCases.pauseSandbox(before.id)
    await world.engine.crash(executionOf(before), 137)
    await world.life.watched.recordThat(before.id, ({ execution }) => execution === null)
    const { sandbox } = await world.useCases.connectSandbox(before.id)
    expect(sandbox).toMatchObject({ id: before.id, state: 'running', generation: 1 })
    expect(sandbox.execution).not.toBe(before.execution)
    expect(world.memoryOf(before.id)).toMatchObject({ counter: 5, identity: { sandboxId: before.id, envVars: { A: 'b' } } })
    const removed = world.life.imageFaults.hold('removed')
    await world.life.clock.advance(250)
    await removed.reached
    expect([world.record(before.id).image, await world.imageFiles()]).toEqual([null, []])
  })

  it('keeps the image until nothing reads it', async () => {
    await using world = await World.open()
    const { id } = await world.createAsleep()
    // One for the lease of the start, one for the record.
    const [lease, held] = [world.engine.faults.hold('released'), world.engine.faults.hold('released')]
    await world.useCases.connectSandbox(id)
    await world.life.clock.advance(250)
    await held.reached
    expect(world.record(id)).toMatchObject({ state: 'running', image: { name: `${id}/g1` } })
    held.release()
    await world.life.watched.recordThat(id, ({ image }) => image === null)
    expect(await world.imageFiles()).toEqual([`${id}/g1`])
    lease.release()
    await world.until(async () => (await world.imageFiles()).length === 0)
  })

  it('falls back to the image when the frozen process cannot be thawed', async () => {
    await using world = await World.open()
    const before = await world.createPaused()
    world.engine.faults.failNext('thaw', broken)
    await world.useCases.connectSandbox(before.id)
    const after = world.record(before.id)
    expect([after.state, after.execution === before.execution]).toEqual(['running', false])
    expect(await world.engine.list()).toMatchObject([{ execution: after.execution, status: 'running' }])
  })

  it('falls back to the image when the frozen process vanished unseen', async () => {
    await using world = await World.open()
    const { id, execution } = await world.createPaused()
    await world.engine.vanish(execution ?? '')
    await world.useCases.connectSandbox(id)
    expect(world.record(id).state).toBe('running')
  })

  it('falls back to the image when the frozen process dies just then', async () => {
    await using world = await World.open()
    const before = await world.createPaused()
    const held = world.engine.faults.hold('thaw')
    const connect = world.useCases.connectSandbox(before.id)
    await held.reached
    await world.engine.crash(executionOf(before), 137)
    held.release()
    await connect
    expect(world.record(before.id)).toMatchObject({ state: 'running', generation: 1 })
    expect(world.events(before.id).map(({ name }) => name)).not.toContain('killed')
  })

  it('P17 P18 gives exactly the time that was asked for, or the default', async () => {
    await using world = await World.open()
    const { id } = await world.createPaused({ timeoutSeconds: 3600 })
    await world.life.clock.advance(10_000_000)
    const now = world.life.clock.now()
    expect((await world.useCases.connectSandbox(id, 60)).sandbox).toMatchObject({ startedAt: now, endAt: now + 60_000, timeoutSeconds: 60 })
    await world.useCases.pauseSandbox(id)
    expect((await world.useCases.connectSandbox(id)).sandbox).toMatchObject({ endAt: now + 300_000, timeoutSeconds: 300 })
  })

  it('P13 of one that is killed or never was is not_found', async () => {
    await using world = await World.open()
    const { id } = await world.createPaused()
    await world.useCases.killSandbox(id)
    for (const gone of [id, 'i0']) {
      await expect(world.useCases.connectSandbox(gone)).rejects.toMatchObject({ kind: 'not_found' })
      await expect(world.useCases.resumeSandbox(gone, {})).rejects.toMatchObject({ kind: 'not_found' })
    }
  })
})

describe('a resume that forgets the memory', () => {
  it.each(['createPaused', 'createAsleep'] as const)('boots afresh on the files, and nothing else is left (%s)', async (prepare) => {
    await using world = await World.open()
    const { id } = await world[prepare]()
    const { sandbox } = await world.useCases.connectSandbox(id, 60, true)
    expect(sandbox).toMatchObject({ state: 'running', generation: 2 })
    expect(world.memoryOf(id).counter).toBe(0)
    expect(await world.engine.list()).toMatchObject([{ execution: sandbox.execution, status: 'running' }])
    await world.life.clock.advance(250)
    await world.until(async () => (await world.imageFiles()).length === 0)
  })

  it('changes nothing on one that runs, or that has no memory', async () => {
    await using world = await World.open()
    const { id, execution } = await world.create()
    expect((await world.useCases.connectSandbox(id, 60, true)).sandbox.execution).toBe(execution)
    await world.useCases.pauseSandbox(id, { kind: 'files' })
    expect((await world.useCases.connectSandbox(id, 60, true)).sandbox.generation).toBe(1)
  })

  const faults: readonly [string, (world: World) => void][] = [
    ['the capture of the files', ({ engine }) => engine.faults.failNext('captureFiles', broken)],
    ['their commit', ({ life }) => life.imageFaults.failNext('commit', broken)],
    ['the change of the record', ({ life }) => life.watched.failNextUpdate(({ generation }) => generation === 2, broken)],
  ]

  it.each(faults)('leaves it asleep with its memory when %s fails', async (_step, order) => {
    await using world = await World.open()
    const { id } = await world.createAsleep()
    order(world)
    await expect(world.useCases.connectSandbox(id, 60, true)).rejects.toBe(broken)
    expect([await world.engine.list(), await world.imageFiles()]).toEqual([[], [`${id}/g1`]])
    await world.useCases.connectSandbox(id)
    expect(world.record(id)).toMatchObject({ state: 'running', generation: 1 })
  })
})

describe('a resume from the image that fails', () => {
  const steps: readonly [string, (world: World) => void][] = [
    ['the restore', ({ engine }) => engine.faults.failNext('restore', broken)],
    ['the health check', ({ life }) => life.agentFaults.failNext('healthy', broken)],
    ['the init', ({ life }) => life.agentFaults.failNext('init', broken)],
    ['the commit of the record', ({ life }) => life.watched.failNextUpdate(({ state }) => state === 'running', broken)],
  ]

  it.each(steps)('at %s leaves it asleep with its image, twice; then it wakes', async (_step, order) => {
    await using world = await World.open()
    const before = await world.createAsleep()
    for (let run = 0; run < 2; run += 1) {
      order(world)
      await expect(world.useCases.connectSandbox(before.id)).rejects.toBe(broken)
      expect(world.record(before.id)).toEqual(before)
      expect([await world.engine.list(), await world.imageFiles()]).toEqual([[], [`${before.id}/g1`]])
      expect(world.life.routes.of(before.id)?.address).toBeNull()
    }
    await world.useCases.connectSandbox(before.id)
    expect(world.record(before.id).state).toBe('running')
  })

  it('says so when its engine build is gone, and keeps the image', async () => {
    await using world = await World.open()
    const { id } = await world.createAsleep()
    await world.restart('fake-2')
    await expect(world.useCases.connectSandbox(id)).rejects.toMatchObject({ kind: 'unavailable' })
    await world.restart('fake-1')
    await world.useCases.connectSandbox(id)
  })
})

describe('many at once', () => {
  it.each(['createPaused', 'createAsleep'] as const)('ten connects are one resume (%s)', async (make) => {
    await using world = await World.open()
    const { id } = await world[make]()
    const before = verbs(world).length
    const answers = await Promise.all(Array.from({ length: 10 }, () => world.useCases.connectSandbox(id)))
    expect(answers.every(({ sandbox, resumed }) => sandbox.state === 'running' && resumed)).toBe(true)
    const starts = verbs(world)
      .slice(before)
      .filter((verb) => verb === 'thaw' || verb === 'restore')
    expect(starts).toHaveLength(1)
    expect(world.events(id).filter(({ name }) => name === 'resumed')).toHaveLength(1)
  })

  it('P11 connect waits for a pause in progress, then resumes', async () => {
    await using world = await World.open()
    const { id } = await world.create()
    const held = world.engine.faults.hold('capture')
    const pause = world.useCases.pauseSandbox(id)
    await held.reached
    const connect = world.useCases.connectSandbox(id)
    held.release()
    await pause
    expect(await connect).toMatchObject({ resumed: true, sandbox: { state: 'running', generation: 1 } })
    expect(await world.engine.list()).toMatchObject([{ status: 'running' }])
  })

  it('connect during a pause that fails finds it running', async () => {
    await using world = await World.open()
    const { id } = await world.create()
    const held = world.life.imageFaults.hold('stage')
    const pause = world.useCases.pauseSandbox(id)
    await held.reached
    const connect = world.useCases.connectSandbox(id)
    world.engine.faults.failNext('capture', broken)
    held.release()
    await expect(pause).rejects.toBe(broken)
    expect((await connect).sandbox).toMatchObject({ state: 'running', generation: 0 })
  })

  it('pause during a resume waits, then pauses what came back', async () => {
    await using world = await World.open()
    const { id } = await world.createPaused()
    const held = world.engine.faults.hold('thaw')
    const connect = world.useCases.connectSandbox(id)
    await held.reached
    const pause = world.useCases.pauseSandbox(id)
    held.release()
    await Promise.allSettled([connect, pause])
    await pause
    expect(world.record(id)).toMatchObject({ state: 'paused', generation: 2 })
  })
})
