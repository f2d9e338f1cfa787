import { TorporError } from '@torpor/contract'
import { describe, expect, it } from 'vitest'

import { World, recipe } from '../testing/world.ts'

const broken = new TorporError('internal', 'ordered by the test')
const boots = ({ engine }: World): number => engine.calls.filter(({ verb }) => verb === 'boot').length

describe('ensureTemplate', () => {
  it('builds once, and leaves no process behind', async () => {
    await using world = await World.open()
    expect(await world.platform.ensureTemplate(recipe)).toBe(false)
    expect([boots(world), await world.engine.list()]).toEqual([1, []])
  })

  it('builds nothing at the next start', async () => {
    await using world = await World.open()
    await world.restart()
    expect([await world.platform.ensureTemplate(recipe), boots(world)]).toEqual([false, 0])
  })

  it.each([
    ['another root file system', { ...recipe, base: { ...recipe.base, rootfs: 'other' } }],
    ['another agent', { ...recipe, base: { ...recipe.base, agent: 'other' } }],
    ['other resources', { ...recipe, resources: { ...recipe.resources, memoryMiB: 256 } }],
    ['other names', { ...recipe, names: ['base', 'more'] as const }],
  ])('builds anew for %s, under the same id, and drops the old image', async (_what, changed) => {
    await using world = await World.open()
    const before = world.store.getTemplate('base')
    expect(await world.platform.ensureTemplate(changed)).toBe(true)
    const after = world.store.getTemplate('base')
    expect(after).toMatchObject({ templateId: before?.templateId, names: changed.names, base: changed.base, resources: changed.resources })
    expect(after?.buildId).not.toBe(before?.buildId)
    expect(await world.imageFiles()).toEqual([])
    expect(await world.create()).toMatchObject({ base: changed.base, resources: changed.resources })
  })

  it('builds anew for another engine build', async () => {
    await using world = await World.open()
    await world.restart('fake-2')
    expect(await world.platform.ensureTemplate(recipe)).toBe(true)
    await world.create()
  })

  it('builds anew when the image is gone', async () => {
    await using world = await World.open()
    const build = world.store.getTemplate('base')
    if (build) world.store.putTemplate({ ...build, image: { ...build.image, name: 'lost/g1' } })
    expect(await world.platform.ensureTemplate(recipe)).toBe(true)
    await world.create()
  })

  const steps: readonly [string, (world: World) => void][] = [
    ['boot', ({ engine }) => engine.faults.failNext('boot', broken)],
    ['health check', ({ life }) => life.agentFaults.failNext('healthy', broken)],
    ['freeze', ({ engine }) => engine.faults.failNext('freeze', broken)],
    ['capture', ({ engine }) => engine.faults.failNext('capture', broken)],
    ['commit', ({ life }) => life.imageFaults.failNext('commit', broken)],
  ]
  it.each(steps)('leaves the former build standing when the %s fails', async (_step, order) => {
    await using world = await World.open()
    const before = world.store.getTemplate('base')
    order(world)
    await expect(world.platform.ensureTemplate({ ...recipe, base: { rootfs: 'new', agent: 'agent' } })).rejects.toBe(broken)
    expect(world.store.getTemplate('base')).toEqual(before)
    expect([await world.engine.list(), await world.imageFiles()]).toEqual([[], []])
    await world.create()
  })
})
