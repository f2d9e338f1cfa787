import { open, readdir, rename, rm, stat, truncate } from 'node:fs/promises'
import path from 'node:path'

import { type TestWorld, bootWorld, imagesOf } from '@torpor/testkit'
import { Sandbox } from 'e2b'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

let world: TestWorld
beforeAll(async () => {
  // Nothing stays in memory: every connect needs the image.
  world = await bootWorld({ TORPOR_WARM_MEMORY: '0', TORPOR_WARM_POOL: '0', TORPOR_LOG_LEVEL: 'error' })
  Object.assign(process.env, world.env)
})
afterAll(async () => {
  await world?.close()
})

const imageOf = async (id: string): Promise<string> => {
  const owner = path.join(imagesOf(world.dataDirectory), id)
  const [generation = ''] = await readdir(owner)
  return path.join(owner, generation)
}

/** Changes one byte in the middle. */
async function flip(file: string): Promise<void> {
  const { size } = await stat(file)
  await using handle = await open(file, 'r+')
  const byte = Buffer.alloc(1)
  const place = Math.floor(size / 2)
  await handle.read(byte, 0, 1, place)
  byte[0] = (byte[0] ?? 0) ^ 0xff
  await handle.write(byte, 0, 1, place)
}

async function asleep(): Promise<Sandbox> {
  const sandbox = await Sandbox.create()
  await sandbox.files.write('/dev/shm/kept', 'kept')
  await sandbox.pause()
  await expect.poll(() => world.useCases.getSandbox(sandbox.sandboxId).execution, { timeout: 20_000 }).toBeNull()
  return sandbox
}

async function verdictOn(id: string): Promise<string | undefined> {
  for await (const { owner, result } of world.useCases.verifyImages(new AbortController().signal)) if (owner.id === id) return result
  return undefined
}

describe('a damaged saved state', () => {
  const damages: readonly [string, (image: string) => Promise<void>][] = [
    ['whose metadata differ in one byte', (image) => flip(path.join(image, 'checkpoint.img'))],
    [
      'whose pages are cut short',
      async (image) => truncate(path.join(image, 'pages.img'), (await stat(path.join(image, 'pages.img'))).size - 1),
    ],
    ['of which a file is missing', (image) => rm(path.join(image, 'pages_meta.img'))],
    ['that is not there any more', (image) => rm(image, { recursive: true })],
  ]

  test.each(damages)('%s is found before anything runs; the sandbox says so from now on, and can be killed', async (_name, damage) => {
    const sandbox = await asleep()
    await damage(await imageOf(sandbox.sandboxId))
    for (let tries = 0; tries < 2; tries += 1) await expect(sandbox.connect()).rejects.toThrow(/saved state.*(damaged|missing)/)
    expect(world.useCases.getSandbox(sandbox.sandboxId)).toMatchObject({ state: 'paused', execution: null })
    expect(world.events(sandbox.sandboxId).at(-1)).toMatchObject({ name: 'damaged' })
    expect(await sandbox.kill()).toBe(true)
  })

  test('of which a page differs is found by a verification, and not woken after that; mended, it wakes', async () => {
    const sandbox = await asleep()
    const pages = path.join(await imageOf(sandbox.sandboxId), 'pages.img')
    expect([await verdictOn(sandbox.sandboxId), await verdictOn(sandbox.sandboxId)]).toEqual(['noted', 'intact'])
    await flip(pages)
    expect(await verdictOn(sandbox.sandboxId)).toBe('damaged')
    await expect(sandbox.connect()).rejects.toThrow(/damaged/)
    await flip(pages)
    expect(await verdictOn(sandbox.sandboxId)).toBe('intact')
    await sandbox.connect()
    expect(await sandbox.files.read('/dev/shm/kept')).toBe('kept')
    await sandbox.kill()
  })

  test('does not stand in the way of others, and a snapshot of before brings its sandbox back', async () => {
    const sandbox = await Sandbox.create()
    await sandbox.files.write('/dev/shm/kept', 'of the snapshot')
    const { snapshotId } = await sandbox.createSnapshot()
    await sandbox.pause()
    await expect.poll(() => world.useCases.getSandbox(sandbox.sandboxId).execution, { timeout: 20_000 }).toBeNull()
    const image = await imageOf(sandbox.sandboxId)
    await rename(path.join(image, 'checkpoint.img'), path.join(image, 'other.img'))
    await expect(sandbox.connect()).rejects.toThrow(/reset it to a snapshot/)
    const other = await asleep()
    await other.connect()
    await world.useCases.resetSandbox(sandbox.sandboxId, { resume: true })
    expect(await sandbox.files.read('/dev/shm/kept')).toBe('of the snapshot')
    await Promise.all([sandbox.kill(), other.kill()])
    await Sandbox.deleteSnapshot(snapshotId)
  })
})
