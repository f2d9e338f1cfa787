import { TorporError } from '@torpor/contract'
import { expect, it } from 'vitest'

import { World } from '../testing/world.ts'

const pausing = { onTimeout: 'pause', autoResume: false, pauseKind: 'memory' } as const

it('L1 kills a sandbox at its end and not before', async () => {
  await using world = await World.open()
  const { id } = await world.create({ timeoutSeconds: 60 })
  await world.life.clock.advance(59_999)
  expect(world.record(id).state).toBe('running')
  await world.life.clock.advance(1)
  await world.life.watched.until(() => world.store.getSandbox(id) === undefined)
  expect(world.events(id).at(-1)).toMatchObject({ name: 'killed', reason: 'timeout', at: world.life.clock.now() })
  expect(await world.engine.list()).toEqual([])
})

it('P24 pauses one whose lifecycle says so, with its state, and P26 does so again', async () => {
  await using world = await World.open()
  const { id } = await world.create({ timeoutSeconds: 60, lifecycle: pausing })
  world.memoryOf(id).counter = 4
  for (const generation of [1, 2]) {
    await world.life.clock.advance(60_000)
    await world.life.watched.recordThat(id, (record) => record.generation === generation && record.state === 'paused')
    expect(world.events(id).at(-1)).toMatchObject({ name: 'paused', reason: 'timeout' })
    await world.useCases.connectSandbox(id, 60)
    expect(world.memoryOf(id).counter).toBe(4)
  }
})

it('follows an end that is moved, in both directions', async () => {
  await using world = await World.open()
  const [longer, shorter] = [await world.create({ timeoutSeconds: 60 }), await world.create({ timeoutSeconds: 3600 })]
  world.useCases.setTimeout(longer.id, 600)
  world.useCases.setTimeout(shorter.id, 10)
  await world.life.clock.advance(10_000)
  await world.life.watched.until(() => world.store.getSandbox(shorter.id) === undefined)
  await world.life.clock.advance(100_000)
  expect(world.record(longer.id).state).toBe('running')
})

it('ends what came due while no server was there', async () => {
  await using world = await World.open()
  const [killed, paused] = [await world.create({ timeoutSeconds: 10 }), await world.create({ timeoutSeconds: 10, lifecycle: pausing })]
  await world.platform.close()
  await world.life.clock.advance(60_000)
  await world.restart()
  await world.life.watched.until(() => world.store.getSandbox(killed.id) === undefined)
  const left = await world.life.watched.recordThat(paused.id, ({ state }) => state === 'paused')
  expect(world.store.allSandboxes()).toEqual([left])
})

it('lets one long pause delay nobody', async () => {
  await using world = await World.open()
  const slow = await world.create({ timeoutSeconds: 10, lifecycle: pausing })
  const other = await world.create({ timeoutSeconds: 11 })
  const held = world.engine.faults.hold('capture')
  await world.life.clock.advance(10_000)
  await held.reached
  await world.life.clock.advance(1000)
  await world.life.watched.until(() => world.store.getSandbox(other.id) === undefined)
  expect(world.record(slow.id).state).toBe('pausing')
  held.release()
  await world.life.watched.recordThat(slow.id, ({ state }) => state === 'paused')
})

it('tries again when a pause fails: the sandbox runs until it succeeds', async () => {
  await using world = await World.open()
  const { id } = await world.create({ timeoutSeconds: 10, lifecycle: pausing })
  world.engine.faults.failNext('capture', new TorporError('no_space', 'ordered by the test'))
  const undone = world.life.imageFaults.hold('discard')
  await world.life.clock.advance(10_000)
  await undone.reached
  const joined = world.useCases.pauseSandbox(id)
  undone.release()
  await expect(joined).rejects.toMatchObject({ kind: 'no_space' })
  await world.life.clock.advance(5000)
  await world.life.watched.recordThat(id, ({ state }) => state === 'paused')
  expect(world.life.log.filter(({ level }) => level === 'error')).toMatchObject([{ context: { id } }])
})

it('does not end what is paused', async () => {
  await using world = await World.open()
  const before = await world.createPaused({ timeoutSeconds: 10 })
  await world.life.clock.advance(100_000)
  expect(world.record(before.id)).toEqual(before)
})
