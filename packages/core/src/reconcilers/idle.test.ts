import { expect, it } from 'vitest'

import { World } from '../testing/world.ts'

const minute = 60_000
const idle = { timeoutSeconds: 3600, metadata: { idle_timeout: '60' } }

it('I2 kills a sandbox that nobody used for so long, and says why', async () => {
  await using world = await World.open()
  const { id, startedAt } = await world.create(idle)
  expect(world.useCases.getSandbox(id).shown.endAt).toBe(startedAt + minute)
  await world.life.clock.advance(minute)
  await world.life.watched.until(() => world.store.getSandbox(id) === undefined)
  expect(world.events(id).at(-1)).toMatchObject({ name: 'killed', reason: 'idle' })
})

it('pauses it instead when its lifecycle says so', async () => {
  await using world = await World.open()
  const { id } = await world.create({ ...idle, lifecycle: { onTimeout: 'pause', autoResume: false, pauseKind: 'memory' } })
  await world.life.clock.advance(minute)
  await world.life.watched.recordThat(id, ({ state }) => state === 'paused')
  expect(world.events(id).at(-1)).toMatchObject({ name: 'paused', reason: 'idle' })
})

it('I3 lets it live as long as something is open, up to its own end', async () => {
  await using world = await World.open()
  const { id, endAt } = await world.create(idle)
  world.life.uses.set(id, 1)
  expect(world.useCases.getSandbox(id).shown.endAt).toBe(endAt)
  await world.life.clock.advance(59 * minute)
  expect(world.record(id).state).toBe('running')
  await world.life.clock.advance(minute)
  await world.life.watched.until(() => world.store.getSandbox(id) === undefined)
  expect(world.events(id).at(-1)).toMatchObject({ reason: 'timeout' })
})

it('counts calls of the control plane as use', async () => {
  await using world = await World.open()
  const { id } = await world.create(idle)
  await world.life.clock.advance(50_000)
  await world.useCases.connectSandbox(id)
  await world.life.clock.advance(50_000)
  expect(world.record(id).state).toBe('running')
})

it('refuses a time that is none before anything is made', async () => {
  await using world = await World.open()
  await expect(world.create({ metadata: { idle_timeout: '5' } })).rejects.toMatchObject({ kind: 'invalid_argument' })
  expect([world.store.allSandboxes(), await world.engine.list()]).toEqual([[], []])
})
