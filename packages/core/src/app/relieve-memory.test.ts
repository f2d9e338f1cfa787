import { describe, expect, it } from 'vitest'

import type { SandboxRecord } from '../domain/sandbox.ts'
import { World, executionOf } from '../testing/world.ts'

const mebibyte = 1024 * 1024
const limit = 128 * mebibyte

/** A running sandbox with processes that take so many MiB each, numbered from 1. */
async function withProcesses(world: World, ...sizes: number[]): Promise<SandboxRecord> {
  const record = await world.create()
  sizes.forEach((size, index) => world.memoryOf(record.id).processes.set(index + 1, size * mebibyte))
  return record
}

const begun = 'a sandbox is out of memory'
const over = ['processes were ended: their sandbox was out of memory', 'a shortage of memory was not ended']
const times = (world: World, ...messages: string[]): number => world.life.log.filter(({ message }) => messages.includes(message)).length

/** Tells of a shortage and lets time go on until nothing is done about it any more. */
async function press(world: World, record: SandboxRecord): Promise<void> {
  world.engine.pressMemory(executionOf(record), limit + mebibyte, limit)
  await world.until(async () => {
    await world.life.clock.advance(1)
    return times(world, begun) === times(world, ...over)
  })
}

const left = (world: World, { id }: SandboxRecord): number[] => [...world.memoryOf(id).processes.keys()]
const logged = (world: World): object[] => world.life.log.filter(({ level }) => level === 'warn').map(({ context }) => context)

describe('a shortage of memory', () => {
  it('costs the biggest processes, and no more of them than it must', async () => {
    await using world = await World.open()
    const record = await withProcesses(world, 40, 90, 50, 60, 20)
    await press(world, record)
    expect(left(world, record)).toEqual([1, 3, 5])
    const biggest = { pid: 2, command: 'process 2', rssBytes: 90 * mebibyte }
    expect(logged(world)).toEqual([expect.objectContaining({ id: record.id, ended: 2, biggest, isHeldByFiles: false })])
  })

  it('that is over when it is looked at costs nothing', async () => {
    await using world = await World.open()
    const record = await withProcesses(world, 20)
    await press(world, record)
    expect(left(world, record)).toEqual([1])
  })

  it('is met once, however often it is told', async () => {
    await using world = await World.open()
    const record = await withProcesses(world, 90, 80)
    const held = world.life.agentFaults.hold('endBiggest')
    world.engine.pressMemory(executionOf(record), limit, limit)
    await held.reached
    world.engine.pressMemory(executionOf(record), limit, limit)
    held.release()
    await press(world, record)
    expect([left(world, record), times(world, begun)]).toEqual([[2], 1])
  })

  it('that no process causes costs nothing, and is let alone for a while', async () => {
    await using world = await World.open()
    const record = await withProcesses(world, 1, 2)
    world.memoryOf(record.id).counter = limit
    for (let told = 0; told < 3; told += 1) await press(world, record)
    expect(left(world, record)).toEqual([1, 2])
    expect(logged(world)).toEqual([expect.objectContaining({ ended: 0, isHeldByFiles: true })])
    await world.life.clock.advance(5000)
    world.memoryOf(record.id).processes.set(3, 40 * mebibyte)
    await press(world, record)
    expect(left(world, record)).toEqual([1, 2])
  })

  it('that goes on growing costs small processes too, before the kernel takes any', async () => {
    await using world = await World.open()
    const record = await withProcesses(world, 1, 2)
    world.memoryOf(record.id).counter = 3 * limit
    await press(world, record)
    expect(left(world, record)).toEqual([])
  })

  it('of a sandbox that sleeps or is just being put to sleep changes nothing', async () => {
    await using world = await World.open()
    const record = await withProcesses(world, 200)
    const held = world.engine.faults.hold('capture')
    const pause = world.useCases.pauseSandbox(record.id)
    await held.reached
    await press(world, record)
    held.release()
    await pause
    await press(world, record)
    expect(world.engine.memory(executionOf(record)).processes.size).toBe(1)
    expect(logged(world)).toEqual([])
  })

  it('is noted when the agent does not answer, and the next one is met', async () => {
    await using world = await World.open()
    const record = await withProcesses(world, 200)
    world.life.agentFaults.failNext('endBiggest', new Error('silent'))
    await press(world, record)
    expect(times(world, 'a shortage of memory was not ended')).toBe(1)
    await press(world, record)
    expect(left(world, record)).toEqual([])
  })

  it('is the reason of an end right after it, and of none long after', async () => {
    await using world = await World.open()
    for (const [seconds, reason] of [
      [1, 'out of memory'],
      [60, 'crashed'],
    ] as const) {
      const record = await withProcesses(world)
      await press(world, record)
      await world.life.clock.advance(seconds * 1000)
      await world.engine.crash(executionOf(record), 137)
      await world.life.watched.until(() => world.store.getSandbox(record.id) === undefined)
      expect(world.events(record.id).at(-1)).toMatchObject({ name: 'killed', reason })
    }
  })
})
