import { TorporError } from '@torpor/contract'
import { describe, expect, it } from 'vitest'

import { World, executionOf } from '../testing/world.ts'
import { steps } from './steps.ts'

const broken = new TorporError('internal', 'ordered by the test')
const one = { count: 1, strict: false }

const agentOf = (world: World, id: string) => world.engine.memory(executionOf(world.record(id))).identity

describe('a clone', () => {
  it('C1 C2 C9 of a running sandbox has its memory, and an identity of its own', async () => {
    await using world = await World.open()
    const parent = await world.create({ env: { A: 'b' }, metadata: { of: 'me' } })
    world.memoryOf(parent.id).counter = 5
    const clones = await world.useCases.cloneSandbox(parent.id, { count: 2, strict: false })
    expect(new Set([parent.id, ...clones.map(({ id }) => id)]).size).toBe(3)
    for (const { id, metadata, env } of clones) {
      expect([world.memoryOf(id).counter, metadata, env]).toEqual([5, { of: 'me' }, { A: 'b' }])
      expect(agentOf(world, id)).toMatchObject({ sandboxId: id, hostname: id, accessToken: `access-${id}` })
    }
    world.memoryOf(parent.id).counter = 6
    expect(clones.map(({ id }) => world.memoryOf(id).counter)).toEqual([5, 5])
    expect(agentOf(world, parent.id)).toMatchObject({ sandboxId: parent.id })
  })

  it('C3 stops its parent for the capture only, and leaves no image', async () => {
    await using world = await World.open()
    const parent = await world.create()
    const held = world.life.steps.hold('capture frozen')
    const clones = world.useCases.cloneSandbox(parent.id, one)
    await held.reached
    expect(world.useCases.getSandbox(parent.id).shown.state).toBe('snapshotting')
    expect(await world.engine.list()).toMatchObject([{ status: 'frozen' }])
    held.release()
    await clones
    expect(world.useCases.getSandbox(parent.id).shown.state).toBe('running')
    expect((await world.engine.list()).map(({ status }) => status)).toEqual(['running', 'running'])
    await world.until(async () => (await world.imageFiles()).length === 0)
  })

  it('C1 of a paused sandbox leaves that asleep with its image, even if it is killed meanwhile', async () => {
    await using world = await World.open()
    const parent = await world.createAsleep()
    const [clone] = await world.useCases.cloneSandbox(parent.id, one)
    expect(world.record(parent.id)).toEqual(parent)
    expect(world.record(clone?.id ?? '')).toMatchObject({ state: 'running' })
    const held = world.engine.faults.hold('restore')
    const second = world.useCases.cloneSandbox(parent.id, one)
    await held.reached
    await world.useCases.killSandbox(parent.id)
    expect(await world.imageFiles()).toEqual([`${parent.id}/g1`])
    held.release()
    await second
    await world.until(async () => (await world.imageFiles()).length === 0)
  })

  it('C7 C8 has the timeout asked for, else that of a running parent, else five minutes', async () => {
    await using world = await World.open()
    const parent = await world.create({ timeoutSeconds: 1000 })
    const times = async (timeoutSeconds?: number): Promise<number[]> =>
      (await world.useCases.cloneSandbox(parent.id, { ...one, timeoutSeconds })).map(({ startedAt, endAt }) => (endAt - startedAt) / 1000)
    expect([await times(50), await times()]).toEqual([[50], [1000]])
    await world.useCases.pauseSandbox(parent.id)
    expect(await times()).toEqual([300])
  })

  it('two at once come one after the other, each with its own cut', async () => {
    await using world = await World.open()
    const parent = await world.create()
    const clones = await Promise.all([1, 2].map(() => world.useCases.cloneSandbox(parent.id, one)))
    expect(clones.flat()).toHaveLength(2)
    expect(world.engine.calls.filter(({ verb, execution }) => verb === 'capture' && execution === parent.execution)).toHaveLength(2)
  })

  it('whose parent is killed during the capture is not made', async () => {
    await using world = await World.open()
    const parent = await world.create()
    const held = world.life.steps.hold('capture frozen')
    const clone = world.useCases.cloneSandbox(parent.id, one).catch((error: unknown) => error)
    await held.reached
    const kill = world.useCases.killSandbox(parent.id)
    held.release()
    await kill
    expect(await clone).toMatchObject({ kind: 'not_found' })
    expect([world.store.allSandboxes(), await world.engine.list(), await world.imageFiles()]).toEqual([[], [], []])
  })
})

describe('clones of which some fail', () => {
  it('C5 gives those that were made', async () => {
    await using world = await World.open()
    const parent = await world.create()
    world.engine.faults.failNext('restore', broken)
    expect(await world.useCases.cloneSandbox(parent.id, { count: 3, strict: false })).toHaveLength(2)
    expect(world.store.allSandboxes()).toHaveLength(3)
  })

  it('C6 strict keeps none and says how many there were', async () => {
    await using world = await World.open()
    const parent = await world.create()
    world.engine.faults.failNext('restore', broken)
    await expect(world.useCases.cloneSandbox(parent.id, { count: 3, strict: true })).rejects.toMatchObject({
      kind: 'internal',
      message: expect.stringContaining('Only 2 of 3 clones'),
    })
    expect(world.store.allSandboxes()).toEqual([world.record(parent.id)])
    expect(await world.engine.list()).toHaveLength(1)
  })

  it('says why when there is none, with the limit in the text', async () => {
    await using world = await World.open({ memoryLimitMiB: 128 })
    const parent = await world.create()
    await expect(world.useCases.cloneSandbox(parent.id, one)).rejects.toMatchObject({ kind: 'exhausted', message: /limit of 128 MiB/ })
    expect(world.record(parent.id).state).toBe('running')
  })

  it.each(steps.capture)('a fault after "%s" leaves the parent running and nothing else', async (step) => {
    await using world = await World.open()
    const parent = await world.create()
    world.life.steps.failNext(step, broken)
    await expect(world.useCases.cloneSandbox(parent.id, one)).rejects.toBe(broken)
    expect(world.store.allSandboxes()).toEqual([parent])
    expect(await world.engine.list()).toMatchObject([{ status: 'running' }])
    expect(await world.imageFiles()).toEqual([])
    expect(await world.useCases.cloneSandbox(parent.id, one)).toHaveLength(1)
  })

  it.each([...steps.capture, ...steps.clone])('a server that dies after "%s" loses neither parent nor finished clones', async (step) => {
    await using world = await World.open()
    const parent = await world.create()
    world.memoryOf(parent.id).counter = 4
    const held = world.life.steps.hold(step)
    world.useCases.cloneSandbox(parent.id, one).catch(() => undefined)
    await held.reached
    const restarted = world.restart()
    held.release()
    await restarted
    const records = world.store.allSandboxes()
    expect(records.map(({ state }) => state)).toEqual(step === 'clone started' ? ['running', 'running'] : ['running'])
    expect((await world.engine.list()).map(({ status }) => status)).toEqual(records.map(() => 'running'))
    expect([world.memoryOf(parent.id).counter, await world.imageFiles()]).toEqual([4, []])
  })
})

describe('a fork', () => {
  it('is a clone with the default timeout, and one failure is its own', async () => {
    await using world = await World.open()
    const parent = await world.create({ timeoutSeconds: 1000 })
    world.engine.faults.failNext('restore', broken)
    const outcomes = await world.useCases.forkSandbox(parent.id, { count: 2 })
    const made = outcomes.flatMap((outcome) => ('sandbox' in outcome ? [outcome.sandbox] : []))
    expect(made.map(({ startedAt, endAt }) => endAt - startedAt)).toEqual([300_000])
    expect(outcomes.filter((outcome) => 'error' in outcome)).toHaveLength(1)
  })

  it('of a paused sandbox is a conflict, of a killed one not found', async () => {
    await using world = await World.open()
    const { id } = await world.createPaused()
    await expect(world.useCases.forkSandbox(id, { count: 1 })).rejects.toMatchObject({ kind: 'conflict' })
    await world.useCases.killSandbox(id)
    await expect(world.useCases.forkSandbox(id, { count: 1 })).rejects.toMatchObject({ kind: 'not_found' })
  })
})
