import { TorporError } from '@torpor/contract'
import { describe, expect, it } from 'vitest'

import { openEgress } from '../domain/egress.ts'
import { World, executionOf } from '../testing/world.ts'

const open = { allowInternetAccess: null, allowOut: [], denyOut: [] }
const closed = { ...open, denyOut: ['0.0.0.0/0'] }
const closedRules = { ...openEgress, deny: ['0.0.0.0/0'] }

describe('the rules about the outside', () => {
  it('hold from the create on, and a change at once; what else the network has stays', async () => {
    await using world = await World.open()
    const network = { ...closed, allowOut: ['1.1.1.1'], allowPublicTraffic: false, maskRequestHost: 'a' }
    const record = await world.create({ network })
    expect(world.engine.egress(executionOf(record))).toEqual({ ...closedRules, allow: ['1.1.1.1/32'] })
    await world.useCases.updateNetwork(record.id, open)
    expect(world.engine.egress(executionOf(record))).toEqual(openEgress)
    expect(world.record(record.id)?.network).toEqual({ ...network, ...open })
  })

  it('come into force with the next process of one that sleeps', async () => {
    await using world = await World.open()
    const { id } = await world.createAsleep()
    await world.useCases.updateNetwork(id, closed)
    const { sandbox } = await world.useCases.connectSandbox(id)
    expect(world.engine.egress(executionOf(sandbox))).toEqual(closedRules)
  })

  it('changed during a resume hold for the process that it makes', async () => {
    await using world = await World.open()
    const { id } = await world.createAsleep()
    const held = world.engine.faults.hold('restore')
    const resumed = world.useCases.connectSandbox(id)
    await held.reached
    const changed = world.useCases.updateNetwork(id, closed)
    held.release()
    await changed
    expect(world.engine.egress(executionOf((await resumed).sandbox))).toEqual(closedRules)
  })

  it('hold on the record and in the engine in the same order, whoever changes them at once', async () => {
    await using world = await World.open()
    const record = await world.create()
    const changes = [closed, open, { ...open, denyOut: ['1.1.1.1'] }, closed]
    await Promise.all(changes.map((change) => world.useCases.updateNetwork(record.id, change)))
    expect(world.record(record.id)?.network.denyOut).toEqual(['0.0.0.0/0'])
    expect(world.engine.egress(executionOf(record))).toEqual(closedRules)
  })

  it('that cannot be put into force are not on record either', async () => {
    await using world = await World.open()
    const record = await world.create()
    world.engine.faults.failNext('setEgress', new TorporError('internal', 'no'))
    await expect(world.useCases.updateNetwork(record.id, closed)).rejects.toMatchObject({ kind: 'internal' })
    expect(world.record(record.id)).toEqual(record)
  })

  it('are put into force by the next server when this one did not come to it', async () => {
    await using world = await World.open()
    const record = await world.create()
    // As far as a server got that died between the record and the engine.
    world.store.updateSandbox(record, { network: { ...record.network, ...closed } })
    expect(world.engine.egress(executionOf(record))).toEqual(openEgress)
    await world.restart()
    expect(world.engine.egress(executionOf(record))).toEqual(closedRules)
  })

  it('with names need all else to be denied', async () => {
    await using world = await World.open()
    const names = { ...open, allowOut: ['a.example'] }
    const { id } = await world.create()
    for (const refused of [
      world.useCases.updateNetwork(id, names),
      world.create({ network: { ...names, allowPublicTraffic: true, maskRequestHost: null } }),
    ]) {
      await expect(refused).rejects.toMatchObject({ kind: 'invalid_argument', message: expect.stringContaining('allowOut') })
    }
    await world.useCases.updateNetwork(id, { ...names, allowInternetAccess: false })
  })

  it('of one that is unknown or being killed are not changed', async () => {
    await using world = await World.open()
    const { id } = await world.create()
    const killed = world.useCases.killSandbox(id)
    await expect(world.useCases.updateNetwork(id, closed)).rejects.toMatchObject({ kind: 'not_found' })
    await killed
  })
})
