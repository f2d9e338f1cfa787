import { describe, expect, it } from 'vitest'

import { beginBuild, build, ended } from '../../testing/builds.ts'
import { World } from '../../testing/world.ts'

const statuses = (world: World, ids: readonly string[]) => ids.map((id) => world.store.templates.build(id)?.status)

describe('builds at the same time', () => {
  it('of two templates run side by side, a third waits for its turn', async () => {
    await using world = await World.open()
    const one = await beginBuild(world, { name: 'one', steps: ['hang'] })
    const two = await beginBuild(world, { name: 'two', steps: ['hang'] })
    const three = await beginBuild(world, { name: 'three' })
    await world.until(async () => (await world.engine.list()).length === 2)
    expect(statuses(world, [one.buildId, two.buildId, three.buildId])).toEqual(['building', 'building', 'building'])
    await world.useCases.deleteTemplate('one')
    expect(await ended(world, three)).toMatchObject({ status: 'ready' })
    await world.useCases.deleteTemplate('two')
    expect(await world.engine.list()).toEqual([])
  })

  it('of one template: the later one wins, both end', async () => {
    await using world = await World.open()
    const first = await beginBuild(world, { steps: ['write /a 1', 'hang'] })
    await world.until(async () => (await world.engine.list()).length === 1)
    const second = await build(world, { steps: ['write /a 2'] })
    expect(second.status).toBe('ready')
    expect(world.store.templates.build(first.buildId)).toMatchObject({
      status: 'error',
      reason: { message: expect.stringContaining('later build') },
    })
    const { id } = await world.create({ template: 'mine' })
    expect([world.memoryOf(id).files.get('/a'), (await world.engine.list()).length]).toEqual(['2', 1])
  })

  it('count as running sandboxes, and wait for room', async () => {
    await using world = await World.open({ memoryLimitMiB: 256 })
    await beginBuild(world, { name: 'one', steps: ['hang'] })
    await world.until(async () => (await world.engine.list()).length === 1)
    expect(world.useCases.quota().usage).toMatchObject({ sandboxes: 1, memoryMiB: 128 })
    const { id } = await world.create()
    await expect(world.create()).rejects.toMatchObject({ kind: 'exhausted' })
    const waiting = await beginBuild(world, { name: 'two' })
    await world.until(async () => world.life.clock.untilNext <= 1000)
    await world.useCases.killSandbox(id)
    expect(await ended(world, waiting)).toMatchObject({ status: 'ready' })
  })

  it('end with an orderly stop of the server', async () => {
    await using world = await World.open()
    const { buildId } = await beginBuild(world, { steps: ['hang'] })
    await world.until(async () => (await world.engine.list()).length === 1)
    await world.platform.close()
    expect(world.store.templates.build(buildId)).toMatchObject({ status: 'error', reason: { message: expect.stringContaining('stopped') } })
    expect(await world.engine.list()).toEqual([])
  })

  it('whose sandbox dies say so', async () => {
    await using world = await World.open()
    const begun = await beginBuild(world, { steps: ['hang'] })
    await world.until(async () => (world.life.engine.machine.processes[0]?.memory.commands.length ?? 0) > 1)
    await world.engine.crash(world.life.engine.machine.processes[0]?.execution ?? '', 137)
    expect((await ended(world, begun)).reason).toMatchObject({ step: '1', message: expect.stringContaining('128 MiB') })
    expect(await world.engine.list()).toEqual([])
  })
})

describe('templates', () => {
  it('have tags, each with a build of its own; default is where a build goes without one', async () => {
    await using world = await World.open()
    const first = await build(world, { steps: ['write /a 1'], tags: ['v1'] })
    const second = await build(world, { name: 'mine:v2', steps: ['write /a 2'] })
    const buildOf = async (template: string) => (await world.create({ template })).buildId
    expect([
      await buildOf('mine'),
      await buildOf('mine:v1'),
      await buildOf('local/mine:v2'),
      await buildOf(`${first.templateId}:v2`),
    ]).toEqual([first.buildId, first.buildId, second.buildId, second.buildId])
    expect(world.useCases.assignTags('mine:v2', ['default', 'latest'])).toEqual({ buildId: second.buildId, tags: ['default', 'latest'] })
    expect(await buildOf('mine')).toBe(second.buildId)
    world.useCases.removeTags('mine', ['latest', 'v2'])
    expect(
      world.useCases
        .templateTags('mine')
        .map(({ tag }) => tag)
        .toSorted(),
    ).toEqual(['default', 'v1'])
    expect(() => world.useCases.removeTags('mine', ['v1', 'gone'])).toThrow(/does not have/)
    await expect(world.create({ template: 'mine:v2' })).rejects.toMatchObject({ kind: 'invalid_argument' })
  })

  it('lose a build to which nothing points, once no sandbox was made from it', async () => {
    await using world = await World.open()
    const old = await build(world, { steps: ['write /a 1'] })
    // The clock runs on while a build is waited for.
    const { id } = await world.create({ template: 'mine', timeoutSeconds: 80_000 })
    await build(world, { steps: ['write /a 2'] })
    const isThere = () => world.store.isImageNamed(`${old.buildId}/g1`)
    await world.life.clock.advance(120_000)
    expect(isThere()).toBe(true)
    await world.useCases.resetSandbox(id, { resume: true })
    expect(world.memoryOf(id).files.get('/a')).toBe('1')
    await world.useCases.killSandbox(id)
    await world.until(async () => {
      await world.life.clock.advance(60_000)
      return !isThere()
    })
    expect(await world.imageFiles()).not.toContain(`${old.buildId}/g1`)
  })

  it('are not deleted while a sandbox uses them, and then with everything', async () => {
    await using world = await World.open()
    const { templateId, buildId } = await build(world, { steps: ['write /a 1'] })
    const { id } = await world.create({ template: 'mine' })
    await expect(world.useCases.deleteTemplate('mine')).rejects.toMatchObject({ kind: 'invalid_argument' })
    await world.useCases.killSandbox(id)
    await world.useCases.deleteTemplate(templateId)
    await expect(world.useCases.deleteTemplate('mine')).rejects.toMatchObject({ kind: 'not_found' })
    await expect(world.create({ template: 'mine' })).rejects.toMatchObject({ kind: 'not_found' })
    expect(await world.imageFiles()).not.toContain(`${buildId}/g1`)
  })

  it('of Torpor itself are neither built nor deleted; a snapshot keeps its name', async () => {
    await using world = await World.open()
    expect(() => world.useCases.registerTemplate({ name: 'base', tags: [] })).toThrow(/Torpor itself/)
    await expect(world.useCases.deleteTemplate('base')).rejects.toMatchObject({ kind: 'forbidden' })
    const { id } = await world.create()
    await world.useCases.createSnapshot(id, 'nightly')
    expect(() => world.useCases.registerTemplate({ name: 'nightly', tags: [] })).toThrow(/snapshot/)
    await build(world)
    await expect(world.useCases.createSnapshot(id, 'mine')).rejects.toMatchObject({ kind: 'conflict' })
  })

  it('lose layers that nothing rests on, when they are many or old', async () => {
    await using world = await World.open({ layerCacheBytes: 1 })
    await build(world, { steps: ['write /a 1'] })
    await world.life.clock.advance(180_000)
    expect(world.store.templates.layers()).toHaveLength(1)
    await world.useCases.deleteTemplate('mine')
    await world.until(async () => {
      await world.life.clock.advance(60_000)
      return world.store.templates.layers().length === 0
    })
    await world.until(async () => (await world.imageFiles()).length === 0)
  })
})
