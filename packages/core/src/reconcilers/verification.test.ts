import { readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { expect, it } from 'vitest'

import type { Verdict } from '../app/verify-images.ts'
import { World } from '../testing/world.ts'

const hour = 3_600_000

/** Changes one byte of the largest file of an image. */
async function damage(world: World, name: string): Promise<void> {
  const directory = path.join(world.imageDirectory, name)
  const [file] = (await readdir(directory)).filter((entry) => !entry.startsWith('torpor-'))
  const target = path.join(directory, file ?? '')
  const content = await readFile(target)
  content[0] = (content[0] ?? 0) ^ 1
  await writeFile(target, content)
}

it('finds a damaged saved state in the background and says so; the sandbox is not woken with anything else', async () => {
  await using world = await World.open()
  const { id, image } = await world.createAsleep()
  await damage(world, image?.name ?? '')
  await world.life.clock.advance(hour)
  const record = await world.life.watched.recordThat(id, (seen) => seen.damage !== null)
  expect([record.state, world.events(id).at(-1)]).toMatchObject(['paused', { name: 'damaged', reason: 'verification' }])
  await expect(world.useCases.connectSandbox(id)).rejects.toMatchObject({ kind: 'damaged', message: record.damage })
  // Repaired by the operator, and found whole: it wakes.
  await damage(world, image?.name ?? '')
  expect(await verdicts(world)).not.toContainEqual(expect.objectContaining({ result: 'damaged' }))
  await world.useCases.connectSandbox(id)
})

it('does not take a sandbox that still is in memory for lost', async () => {
  await using world = await World.open()
  const { id, image } = await world.createPaused()
  await damage(world, image?.name ?? '')
  expect(await verdicts(world)).toContainEqual(expect.objectContaining({ owner: { kind: 'sandbox', id }, result: 'damaged' }))
  expect((await world.useCases.connectSandbox(id)).sandbox.damage).toBeNull()
})

it('reads every saved state on request', async () => {
  await using world = await World.open()
  const running = await world.create()
  const snapshot = await world.useCases.createSnapshot(running.id)
  const paused = await world.createPaused()
  const owners = [snapshot.id, paused.id, running.templateId].toSorted()
  expect((await verdicts(world)).map(({ owner }) => owner.id).toSorted()).toEqual(owners)
  await damage(world, snapshot.image.name)
  expect((await verdicts(world)).filter(({ result }) => result === 'damaged')).toMatchObject([{ owner: { kind: 'snapshot' } }])
})

async function verdicts(world: World): Promise<Verdict[]> {
  const all: Verdict[] = []
  for await (const verdict of world.useCases.verifyImages(new AbortController().signal)) all.push(verdict)
  return all
}
