import { describe, expect, it } from 'vitest'

import { openEgress } from '../domain/egress.ts'
import { World, executionOf } from '../testing/world.ts'

const none = { running: 0, paused: 0, lost: 0, orphans: 0 }

describe('a restarted server', () => {
  it('finds a running sandbox running, and reaches it as before', async () => {
    await using world = await World.open()
    const before = await world.create()
    const route = world.life.routes.of(before.id)
    world.memoryOf(before.id).counter = 3
    expect(await world.restart()).toEqual({ ...none, running: 1 })
    expect(world.record(before.id)).toEqual(before)
    expect([world.life.routes.of(before.id), world.memoryOf(before.id).counter]).toEqual([route, 3])
    await world.useCases.pauseSandbox(before.id)
  })

  it('thaws a running one that it finds frozen', async () => {
    await using world = await World.open()
    const before = await world.create()
    await world.engine.freeze(executionOf(before))
    expect(await world.restart()).toEqual({ ...none, running: 1 })
    expect(await world.engine.list()).toMatchObject([{ execution: before.execution, status: 'running' }])
  })

  it.each(['vanish', 'crash'] as const)('ends a running one whose process is gone (%s), with the reason lost', async (end) => {
    await using world = await World.open()
    const record = await world.create()
    await endUnseen(world, executionOf(record), end)
    expect(await world.restart()).toMatchObject({ running: 0, lost: 1 })
    expect([world.store.allSandboxes(), await world.engine.list(), world.life.routes.of(record.id)]).toEqual([[], [], undefined])
    expect(world.events(record.id).at(-1)).toMatchObject({ name: 'killed', reason: 'lost' })
  })

  it.each(['vanish', 'crash'] as const)('takes one that was just resumed and is gone (%s) back to its image', async (end) => {
    await using world = await World.open()
    const { id, endAt } = await world.createPaused()
    await world.useCases.connectSandbox(id)
    const running = world.record(id)
    await endUnseen(world, executionOf(running), end)
    expect(await world.restart()).toMatchObject({ paused: 1, lost: 0 })
    expect(world.record(id)).toMatchObject({ state: 'paused', execution: null, generation: 1, endAt })
    expect(await world.engine.list()).toEqual([])
    expect(world.events(id).at(-1)).toMatchObject({ name: 'paused', reason: 'resume interrupted' })
    await world.useCases.connectSandbox(id)
  })

  it('drops the image of a running one, so that no later loss brings back an older state', async () => {
    await using world = await World.open()
    const { id } = await world.createPaused()
    await world.useCases.connectSandbox(id)
    await world.restart()
    const removed = world.life.imageFaults.hold('removed')
    await world.life.clock.advance(250)
    await removed.reached
    expect([world.record(id).image, await world.imageFiles()]).toEqual([null, []])
    await world.engine.vanish(executionOf(world.record(id)))
    expect(await world.restart()).toMatchObject({ lost: 1 })
  })

  it('keeps the frozen process of a paused one', async () => {
    await using world = await World.open()
    const before = await world.createPaused()
    expect(await world.restart()).toEqual({ ...none, paused: 1 })
    expect(world.record(before.id)).toEqual(before)
    expect(world.life.routes.of(before.id)?.address).toBeNull()
    expect((await world.useCases.connectSandbox(before.id)).sandbox.execution).toBe(before.execution)
  })

  it.each(['vanish', 'crash', 'thaw'] as const)('keeps a paused one by its image when its process is gone (%s)', async (end) => {
    await using world = await World.open()
    const before = await world.createPaused()
    await endUnseen(world, executionOf(before), end)
    expect(await world.restart()).toMatchObject({ paused: 1, lost: 0 })
    expect(world.record(before.id)).toEqual({ ...before, execution: null })
    expect(await world.engine.list()).toEqual([])
    await world.useCases.connectSandbox(before.id)
  })

  it.each(['restore', 'init'] as const)('ends a create that was cut off at %s', async (step) => {
    await using world = await World.open()
    const held = step === 'init' ? world.life.agentFaults.hold('init') : world.engine.faults.hold('restore')
    world.create().catch(() => undefined)
    await held.reached
    const [record] = world.store.allSandboxes('creating')
    const restarted = world.restart()
    held.release()
    expect(await restarted).toMatchObject({ running: 0, lost: 1 })
    expect([world.store.allSandboxes(), await world.engine.list()]).toEqual([[], []])
    expect(world.events(record?.id ?? '').at(-1)).toMatchObject({ name: 'killed', reason: 'create interrupted' })
  })

  it('leaves one whose resume was cut off before its record asleep, and ends the half-made process', async () => {
    await using world = await World.open()
    const before = await world.createAsleep()
    const held = world.life.agentFaults.hold('init')
    world.useCases.connectSandbox(before.id).catch(() => undefined)
    await held.reached
    expect(await world.restart()).toEqual({ ...none, paused: 1, orphans: 1 })
    expect(world.record(before.id)).toEqual(before)
    expect(await world.engine.list()).toEqual([])
  })

  it('thaws one whose resume was cut off after its record', async () => {
    await using world = await World.open()
    const { id, execution } = await world.createPaused()
    const held = world.engine.faults.hold('thaw')
    world.useCases.connectSandbox(id).catch(() => undefined)
    await held.reached
    const restarted = world.restart()
    // What the dead server had asked for still happens.
    held.release()
    expect(await restarted).toEqual({ ...none, running: 1 })
    expect(await world.engine.list()).toMatchObject([{ execution, status: 'running' }])
    expect(world.record(id).state).toBe('running')
  })

  it('removes executions and images that belong to nobody, and keeps those of templates', async () => {
    await using world = await World.open()
    const paused = await world.createAsleep()
    const other = await world.createAsleep()
    world.store.deleteSandbox(other.id, { sandboxId: other.id, templateId: 'x', templateName: null, at: 0, name: 'killed', reason: 'api' })
    const { base, resources } = paused
    await world.engine.boot({ execution: 'x0', hostname: 'stranger', base, resources, egress: openEgress })
    expect(await world.imageFiles()).toHaveLength(2)
    expect(await world.restart()).toEqual({ ...none, paused: 1, orphans: 1 })
    expect([await world.engine.list(), await world.imageFiles()]).toEqual([[], [`${paused.id}/g1`]])
    await world.create()
  })

  it('may restart again and again', async () => {
    await using world = await World.open()
    const running = await world.create()
    const paused = await world.createPaused()
    for (let run = 0; run < 3; run += 1) expect(await world.restart()).toEqual({ ...none, running: 1, paused: 1 })
    expect([world.record(running.id), world.record(paused.id)]).toEqual([running, paused])
  })
})

describe('an orderly stop', () => {
  it('lets running sandboxes go on, and gives back the memory of paused ones', async () => {
    await using world = await World.open()
    const running = await world.create()
    const paused = await world.createPaused()
    await world.platform.close()
    expect(await world.engine.list()).toMatchObject([{ execution: running.execution, status: 'running' }])
    expect(await world.restart()).toEqual({ ...none, running: 1, paused: 1 })
    expect(world.record(paused.id)).toEqual({ ...paused, execution: null })
  })

  it('waits for a pause in progress', async () => {
    await using world = await World.open()
    const { id } = await world.create()
    const held = world.engine.faults.hold('capture')
    const pause = world.useCases.pauseSandbox(id)
    await held.reached
    const closed = world.platform.close()
    held.release()
    await Promise.all([pause, closed])
    expect(world.record(id)).toMatchObject({ state: 'paused', execution: null })
  })
})

/** Behind the back of a server that is dead already. */
async function endUnseen(world: World, execution: string, end: 'vanish' | 'crash' | 'thaw'): Promise<void> {
  await world.engine.close()
  const { machine } = world.engine
  if (end === 'vanish') await machine.remove(execution)
  if (end === 'crash') await machine.crash(execution, 137)
  if (end === 'thaw') machine.find(execution).thaw()
}
