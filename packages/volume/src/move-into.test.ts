import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, readdir, stat, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { moveInto } from './move-into.ts'
import { mebibyte } from './size.ts'
import { TrialMachine, isRoot } from './trial-machine.ts'

const machine = new TrialMachine()
let from = ''
let volume: { kind: 'loop'; directory: string }
beforeEach(async () => {
  from = await machine.directory()
  volume = { kind: 'loop', directory: await machine.directory() }
})
afterEach(() => machine.clear())

/** An image, its content as text at the end of 3 MiB of zeros. */
async function image(name: string, content: string): Promise<void> {
  const directory = path.join(from, 'images', name)
  await mkdir(path.join(directory, 'deep'), { recursive: true })
  await writeFile(path.join(directory, 'torpor-image.json'), content, { mode: 0o600 })
  await writeFile(path.join(directory, 'deep', 'pages.img'), Buffer.concat([Buffer.alloc(3 * mebibyte), Buffer.from(content)]))
}

const moved = (name: string): Promise<string> => readFile(path.join(volume.directory, 'images', name, 'torpor-image.json'), 'utf8')
const entries = async (directory: string): Promise<string[]> => (await readdir(directory, { recursive: true })).sort()

it('images go into the volume as they are, and holes of them take no room', async () => {
  await image('i1/g1', 'one')
  await image('i1/g12', 'twelve')
  await image('i2/g3', 'three')
  expect(await moveInto(volume, from)).toBe(3)
  expect([await moved('i1/g1'), await moved('i1/g12'), await moved('i2/g3')]).toStrictEqual(['one', 'twelve', 'three'])
  const pages = path.join(volume.directory, 'images/i1/g12/deep/pages.img')
  expect((await readFile(pages)).equals(Buffer.concat([Buffer.alloc(3 * mebibyte), Buffer.from('twelve')]))).toBe(true)
  expect((await stat(pages)).blocks * 512).toBeLessThan(mebibyte)
  expect((await stat(path.join(volume.directory, 'images/i1/g1/torpor-image.json'))).mode & 0o777).toBe(0o600)
  expect(await entries(from)).toStrictEqual([])
  expect(await moveInto(volume, from)).toBe(0)
})

it('a file that ends in a hole keeps its length', async () => {
  await image('i1/g1', 'one')
  await truncate(path.join(from, 'images/i1/g1/deep/pages.img'), 9 * mebibyte)
  await moveInto(volume, from)
  expect((await stat(path.join(volume.directory, 'images/i1/g1/deep/pages.img'))).size).toBe(9 * mebibyte)
})

it('what is in the volume already wins, and what is no image goes', async () => {
  await image('i1/g1', 'old')
  await image('i1/g2', 'two')
  await mkdir(path.join(volume.directory, 'images/i1/g1'), { recursive: true })
  await writeFile(path.join(volume.directory, 'images/i1/g1/torpor-image.json'), 'new')
  await mkdir(path.join(volume.directory, 'images/i1/g2.moving'), { recursive: true })
  await writeFile(path.join(volume.directory, 'images/i1/g2.moving/half'), 'half')
  await mkdir(path.join(from, 'images/i1/g3.tmp'))
  await moveInto(volume, from)
  expect([await moved('i1/g1'), await moved('i1/g2')]).toStrictEqual(['new', 'two'])
  expect((await readdir(path.join(volume.directory, 'images/i1'))).sort()).toStrictEqual(['g1', 'g2'])
  expect(await readdir(path.join(volume.directory, 'images/i1/g2'))).not.toContain('half')
  expect(await entries(from)).toStrictEqual([])
})

it('what is not ours stays where it is', async () => {
  await image('i1/g1', 'one')
  await writeFile(path.join(from, 'images', 'a file of somebody'), 'text')
  await moveInto(volume, from)
  expect(await entries(from)).toStrictEqual(['images', 'images/a file of somebody'])
})

it('nothing moves where the data directory itself holds the images', async () => {
  await image('i1/g1', 'one')
  expect(await moveInto({ kind: 'data directory', directory: from }, from)).toBe(0)
  expect(await moveInto({ kind: 'none', directory: from }, from)).toBe(0)
  expect(await entries(from)).toContain('images/i1/g1')
})

it('kill -9 at any moment: every image is whole in one of the two places, and the next move ends it', async () => {
  const names = Array.from({ length: 12 }, (_, index) => `i${index % 4}/g${index + 1}`)
  for (let round = 1; round < 12; round += 3) {
    for (const name of names) await image(name, name)
    await killedAfter(round)
    for (const name of await imagesIn(volume.directory)) expect(await moved(name)).toBe(name)
    await moveInto(volume, from)
    for (const name of names) expect(await moved(name)).toBe(name)
    expect((await imagesIn(volume.directory)).length).toBe(names.length)
    expect(await entries(from)).toStrictEqual([])
    await machine.clear()
    from = await machine.directory()
    volume = { kind: 'loop', directory: await machine.directory() }
  }
})

async function imagesIn(directory: string): Promise<string[]> {
  const found = await entries(path.join(directory, 'images')).catch(() => [])
  return found.filter((name) => /^i\d+\/g\d+$/.test(name))
}

/** Moves in a process of its own, which is killed when so many images have arrived. */
async function killedAfter(images: number): Promise<void> {
  const program = `
    const [module, directory, from] = process.argv.slice(1)
    const { moveInto } = await import(module)
    await moveInto({ kind: 'loop', directory }, from)`
  const module = path.join(import.meta.dirname, 'move-into.ts')
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program, module, volume.directory, from], { stdio: 'inherit' })
  const closed = once(child, 'close')
  while (child.exitCode === null && (await imagesIn(volume.directory)).length < images)
    await new Promise((resolve) => void setImmediate(resolve))
  child.kill('SIGKILL')
  await closed
}

describe.skipIf(!isRoot)('with too little room (needs root)', () => {
  it('says how much is left to be moved, and loses nothing', async () => {
    await image('i1/g1', 'one')
    await writeFile(path.join(from, 'images/i1/g1/large'), Buffer.alloc(100 * mebibyte, 1))
    const directory = await machine.disk(64, 'mkfs.ext4', '-q')
    await expect(moveInto({ kind: 'loop', directory }, from)).rejects.toMatchObject({
      name: 'SetupProblem',
      message: expect.stringMatching(/10\d MiB have still to be moved/),
      mend: expect.stringContaining('TORPOR_VOLUME_SIZE'),
    })
    expect(await readFile(path.join(from, 'images/i1/g1/torpor-image.json'), 'utf8')).toBe('one')
    expect(await readdir(path.join(directory, 'images/i1'))).toStrictEqual(['g1.moving'])
  })
})
