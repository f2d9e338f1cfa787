import { describe, expect, it } from 'vitest'

import { openEgress } from '../domain/egress.ts'
import { World, executionOf } from '../testing/world.ts'

describe('an execution that ends by itself', () => {
  it('takes a running sandbox with it: killed, with the reason crashed', async () => {
    await using world = await World.open()
    const record = await world.create()
    await world.engine.crash(executionOf(record), 137)
    await world.life.watched.until(() => world.store.getSandbox(record.id) === undefined)
    expect(world.events(record.id).at(-1)).toMatchObject({ name: 'killed', reason: 'crashed' })
    expect([await world.engine.list(), world.life.routes.of(record.id)]).toEqual([[], undefined])
  })

  it('costs a paused one its frozen process only', async () => {
    await using world = await World.open()
    const before = await world.createAsleep()
    expect(before).toMatchObject({ state: 'paused', execution: null, image: { name: `${before.id}/g1` } })
    expect(await world.engine.list()).toEqual([])
    await world.useCases.connectSandbox(before.id)
  })

  it('while it is paused loses it: no image stood yet', async () => {
    await using world = await World.open()
    const record = await world.create()
    const held = world.engine.faults.hold('capture')
    const pause = world.useCases.pauseSandbox(record.id).catch((error: unknown) => error)
    await held.reached
    await world.engine.crash(executionOf(record), 137)
    await world.life.watched.until(() => world.store.getSandbox(record.id) === undefined)
    expect(await pause).toMatchObject({ kind: 'not_found' })
    held.release()
    expect([await world.engine.list(), await world.imageFiles()]).toEqual([[], []])
  })

  it('during a create makes that fail and leaves nothing', async () => {
    await using world = await World.open()
    const held = world.life.agentFaults.hold('init')
    const create = world.create().catch((error: unknown) => error)
    await held.reached
    const [record] = world.store.allSandboxes()
    await world.engine.crash(record?.execution ?? '', 137)
    held.release()
    expect(await create).toMatchObject({ kind: 'unavailable' })
    expect([world.store.allSandboxes(), await world.engine.list()]).toEqual([[], []])
  })

  it('and belongs to nobody changes nothing', async () => {
    await using world = await World.open()
    const record = await world.create()
    const stranger = { execution: 'x0', hostname: 'x', base: record.base, resources: record.resources, egress: openEgress }
    await world.engine.boot(stranger)
    await world.engine.crash('x0', 1)
    expect(world.record(record.id)).toEqual(record)
  })
})
