import { TorporError } from '@torpor/contract'
import { describe, expect, it } from 'vitest'

import { World, executionOf } from '../testing/world.ts'
import { steps } from './steps.ts'

const broken = new TorporError('internal', 'ordered by the test')

describe('a snapshot', () => {
  it('keeps the state of one moment, from which sandboxes are created, also after its sandbox is gone', async () => {
    await using world = await World.open()
    const origin = await world.create({ env: { A: 'origin', B: 'origin' } })
    world.memoryOf(origin.id).counter = 3
    const { id } = await world.useCases.createSnapshot(origin.id)
    world.memoryOf(origin.id).counter = 4
    await world.useCases.killSandbox(origin.id)
    for (const template of [id, `${id}:default`]) {
      const made = await world.create({ template, env: { B: 'own' } })
      expect([world.memoryOf(made.id).counter, made.env, made.templateId]).toEqual([3, { A: 'origin', B: 'own' }, id])
      const { identity } = world.engine.memory(executionOf(made))
      expect(identity).toMatchObject({ sandboxId: made.id, accessToken: `access-${made.id}` })
    }
    expect(await world.imageFiles()).toEqual([`${id}/g1`])
  })

  it('P21 lets its sandbox run on', async () => {
    await using world = await World.open()
    const origin = await world.create()
    await world.useCases.createSnapshot(origin.id)
    expect(world.record(origin.id)).toEqual(origin)
    expect(await world.engine.list()).toMatchObject([{ status: 'running' }])
    expect(world.events(origin.id).at(-1)).toMatchObject({ name: 'snapshotted' })
  })

  it('is found by its name and tag, with and without the namespace; a name moves to the newest', async () => {
    await using world = await World.open()
    const { id: sandboxId } = await world.create()
    const first = await world.useCases.createSnapshot(sandboxId, 'nightly')
    const tagged = await world.useCases.createSnapshot(sandboxId, 'local/nightly:v2')
    const second = await world.useCases.createSnapshot(sandboxId, 'nightly')
    const found = (name: string): string | undefined => world.store.getSnapshot(name)?.id
    expect([found('nightly'), found('local/nightly:default'), found('nightly:v2'), found(first.id), found('other')]).toEqual([
      second.id,
      second.id,
      tagged.id,
      first.id,
      undefined,
    ])
    const names = (name: string): string[] => world.useCases.listSnapshots({ name, limit: 10 }).snapshots.map(({ id }) => id)
    expect(names('nightly').toSorted()).toEqual([second.id, tagged.id].toSorted())
    expect([names('local/nightly:v2'), names('unknown')]).toEqual([[tagged.id], []])
  })

  it('is listed newest first, page by page, each once', async () => {
    await using world = await World.open()
    const { id } = await world.create()
    const made: string[] = []
    for (let count = 0; count < 5; count += 1) {
      await world.life.clock.advance(10)
      made.unshift((await world.useCases.createSnapshot(id)).id)
    }
    const listed: string[] = []
    for (let page = world.useCases.listSnapshots({ sandboxId: id, limit: 2 }); ;) {
      listed.push(...page.snapshots.map((snapshot) => snapshot.id))
      if (!page.next) break
      page = world.useCases.listSnapshots({ sandboxId: id, limit: 2, after: page.next })
    }
    expect(listed).toEqual(made)
    expect(world.useCases.listSnapshots({ sandboxId: 'i0', limit: 2 })).toEqual({ snapshots: [] })
  })

  it('of a paused sandbox is a conflict; a name that is none is refused', async () => {
    await using world = await World.open()
    const { id } = await world.createPaused()
    await expect(world.useCases.createSnapshot(id)).rejects.toMatchObject({ kind: 'conflict' })
    await expect(world.useCases.createSnapshot(id, 'No Name')).rejects.toMatchObject({ kind: 'invalid_argument' })
  })

  it('cannot take the name of a template, and is not the template of that name', async () => {
    await using world = await World.open()
    const { id, templateId } = await world.create()
    for (const name of ['base', 'local/base:v2']) {
      await expect(world.useCases.createSnapshot(id, name)).rejects.toMatchObject({
        kind: 'conflict',
        message: expect.stringMatching(/^name: /),
      })
    }
    for (const name of ['base', 'base:default', templateId]) {
      await expect(world.useCases.deleteTemplate(name)).rejects.toMatchObject({ kind: 'forbidden' })
    }
    expect(world.store.getTemplate('base')).toBeDefined()
  })

  it('that is deleted while a sandbox is created from it still serves that one', async () => {
    await using world = await World.open()
    const origin = await world.create()
    const { id } = await world.useCases.createSnapshot(origin.id)
    const held = world.engine.faults.hold('restore')
    const create = world.create({ template: id })
    await held.reached
    await world.useCases.deleteTemplate(id)
    expect(await world.imageFiles()).toEqual([`${id}/g1`])
    held.release()
    expect((await create).state).toBe('running')
    await world.until(async () => (await world.imageFiles()).length === 0)
    await expect(world.create({ template: id })).rejects.toMatchObject({ kind: 'not_found' })
    await expect(world.useCases.deleteTemplate(id)).rejects.toMatchObject({ kind: 'not_found' })
  })

  it.each([...steps.capture, ...steps.snapshot])('a server that dies after "%s" keeps a whole snapshot or none', async (step) => {
    await using world = await World.open()
    const { id } = await world.create()
    const held = world.life.steps.hold(step)
    world.useCases.createSnapshot(id).catch(() => undefined)
    await held.reached
    const restarted = world.restart()
    held.release()
    expect(await restarted).toMatchObject({ running: 1, lost: 0 })
    const { snapshots } = world.useCases.listSnapshots({ limit: 10 })
    expect(await world.imageFiles()).toEqual(snapshots.map(({ image }) => image.name))
    expect(snapshots).toHaveLength(step === 'snapshot recorded' ? 1 : 0)
    expect(await world.engine.list()).toMatchObject([{ status: 'running' }])
  })
})

describe('a reset', () => {
  it('goes back to an earlier snapshot in place: same id and tokens, other process', async () => {
    await using world = await World.open()
    const { id, execution } = await world.create()
    world.memoryOf(id).counter = 1
    const first = await world.useCases.createSnapshot(id)
    world.memoryOf(id).counter = 2
    await world.life.clock.advance(10)
    await world.useCases.createSnapshot(id)
    world.memoryOf(id).counter = 3
    await world.useCases.resetSandbox(id, { resume: true })
    expect(world.memoryOf(id).counter).toBe(2)
    const back = await world.useCases.resetSandbox(id, { resume: true, snapshot: first.id })
    expect([back.id, back.state, world.memoryOf(id).counter, back.execution === execution]).toEqual([id, 'running', 1, false])
    expect(await world.engine.list()).toHaveLength(1)
    expect(world.life.routes.of(id)).toMatchObject({ accessToken: `access-${id}`, address: expect.any(String) })
  })

  it('goes back to its template when there is no snapshot, and stays asleep when told so', async () => {
    await using world = await World.open()
    const { id } = await world.create()
    world.memoryOf(id).counter = 7
    await world.useCases.resetSandbox(id, { resume: true })
    expect(world.memoryOf(id).counter).toBe(0)
    const paused = await world.useCases.resetSandbox(id, { resume: false })
    expect([paused.state, await world.imageFiles()]).toEqual(['paused', [paused.image?.name]])
  })

  it('brings back a paused one whose saved state is damaged', async () => {
    await using world = await World.open()
    const { id } = await world.create()
    const snapshot = await world.useCases.createSnapshot(id)
    await world.useCases.pauseSandbox(id)
    await world.engine.vanish(executionOf(world.record(id)))
    world.engine.faults.failNext('restore', new TorporError('damaged', 'ordered by the test'))
    world.engine.faults.failNext('thaw', broken)
    const connect = (): Promise<unknown> => world.useCases.connectSandbox(id)
    await expect(connect()).rejects.toMatchObject({ kind: 'damaged', message: expect.stringContaining(id) })
    await expect(connect()).rejects.toMatchObject({ kind: 'damaged' })
    expect(world.record(id).damage).toMatch(/damaged/)
    expect((await world.useCases.resetSandbox(id, { resume: true })).damage).toBeNull()
    expect(await world.imageFiles()).toEqual([snapshot.image.name])
  })

  it('to the snapshot of another sandbox is not found', async () => {
    await using world = await World.open()
    const [one, other] = [await world.create(), await world.create()]
    const { id } = await world.useCases.createSnapshot(one.id)
    await expect(world.useCases.resetSandbox(other.id, { resume: true, snapshot: id })).rejects.toMatchObject({ kind: 'not_found' })
  })

  it.each(steps.reset)('a fault or a death after "%s" leaves one whole sandbox', async (step) => {
    await using world = await World.open()
    const { id } = await world.create()
    world.memoryOf(id).counter = 7
    const held = world.life.steps.hold(step)
    world.useCases.resetSandbox(id, { resume: true }).catch(() => undefined)
    await held.reached
    const restarted = world.restart()
    held.release()
    expect(await restarted).toMatchObject({ running: 1, lost: 0 })
    expect(await world.engine.list()).toMatchObject([{ status: 'running' }])
    expect(world.memoryOf(id).counter).toBe(step === 'reset restored' ? 7 : 0)
  })
})
