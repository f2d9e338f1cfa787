import { TorporError } from '@torpor/contract'
import { expect, it } from 'vitest'

import { World } from '../testing/world.ts'

const rest = 5000
const compactions = ({ engine }: World): number => engine.calls.filter(({ verb }) => verb === 'compact').length

/** A paused sandbox whose image lies in many pieces. */
async function inPieces(): Promise<{ world: World; id: string; name: string }> {
  const world = await World.open()
  world.volume.shares = true
  const { id } = await world.create()
  world.engine.pieces.set(`${id}/g1`, 100_000)
  await world.useCases.pauseSandbox(id)
  return { world, id, name: `${id}/g1` }
}

it('puts a saved state that lies in many pieces into one, once it rests, and gives up the process that is like it', async () => {
  const { world, id, name } = await inPieces()
  await using _world = world
  await world.life.clock.advance(rest - 1)
  expect([compactions(world), world.record(id).execution]).toEqual([0, expect.any(String)])
  await world.life.clock.advance(1)
  await world.until(() => Promise.resolve(!world.engine.pieces.has(name)))
  expect(world.record(id)).toMatchObject({ state: 'paused', execution: null, image: { name } })
  expect((await world.useCases.connectSandbox(id)).sandbox.state).toBe('running')
})

it('looks at each once, and leaves those alone that lie in few pieces', async () => {
  const { world, name } = await inPieces()
  await using _world = world
  await world.life.clock.advance(rest)
  await world.until(() => Promise.resolve(!world.engine.pieces.has(name)))
  const other = await world.createPaused()
  await world.life.clock.advance(10 * rest)
  expect(compactions(world)).toBe(1)
  expect(world.record(other.id).execution).not.toBeNull()
})

it('that fails loses nothing: it is logged, and the sandbox wakes from what there was', async () => {
  const { world, id } = await inPieces()
  await using _world = world
  world.engine.faults.failNext('compact', new TorporError('no_space', 'ordered by the test'))
  await world.life.clock.advance(rest)
  await world.until(() => Promise.resolve(world.life.log.some(({ level }) => level === 'warn')))
  expect((await world.useCases.connectSandbox(id)).sandbox.state).toBe('running')
})

it('does not keep a sandbox from being woken or killed', async () => {
  const { world, id } = await inPieces()
  await using _world = world
  const held = world.engine.faults.hold('compact')
  await world.life.clock.advance(rest)
  await held.reached
  await world.useCases.connectSandbox(id)
  await world.useCases.killSandbox(id)
  held.release()
  await world.until(async () => (await world.imageFiles()).length === 0)
  expect(world.life.log.filter(({ level }) => level !== 'info')).toEqual([])
})
