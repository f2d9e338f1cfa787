import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, rm, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, it } from 'vitest'

import { openImageStore } from './image-store.ts'
import { draftOf } from './samples.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'torpor-images-full-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m,nr_inodes=30', 'tmpfs', directory])
})
afterEach(async () => {
  // Lazily: a test that failed may still hold a file open.
  execFileSync('umount', ['--lazy', directory])
  await rm(directory, { recursive: true })
})

/** What users are told: the fact in plain words, and no path of the server. */
const full = (): object => ({ kind: 'no_space', message: expect.not.stringContaining(directory) })

async function fill(): Promise<string> {
  const ballast = path.join(directory, 'ballast')
  const { bavail, bsize } = await statfs(directory)
  await writeFile(ballast, Buffer.alloc(bavail * bsize))
  return ballast
}

it('refuses an image for which there is no room beside the reserve', async () => {
  const images = openImageStore({ directory, reserveBytes: 900_000 })
  await expect(images.stage(draftOf('i1', 1), 500_000)).rejects.toMatchObject(full())
  await expect(images.stage(draftOf('i1', 1), 500_000)).rejects.toThrow("The server's disk is full")
  await (await images.stage(draftOf('i1', 1), 0)).commit()
})

it('keeps a reserve by default', async () => {
  await expect(openImageStore({ directory }).stage(draftOf('i1', 1), 0)).rejects.toMatchObject(full())
})

it('says no_space when the disk fills up before the commit, and commits when there is room again', async () => {
  const images = openImageStore({ directory, reserveBytes: 0 })
  const staged = await images.stage(draftOf('i1', 1), 0)
  await writeFile(path.join(staged.directory, 'pages.img'), 'memory')
  const ballast = await fill()
  await expect(staged.commit()).rejects.toMatchObject(full())
  await expect(images.locate({ name: 'i1/g1', kind: 'memory', engineVersion: 'fake-1' })).rejects.toMatchObject({ kind: 'not_found' })
  await rm(ballast)
  await images.locate(await staged.commit())
})

it('gives the room back when what did not fit is discarded', async () => {
  const images = openImageStore({ directory, reserveBytes: 0 })
  const before = (await statfs(directory)).bavail
  const staged = await images.stage(draftOf('i1', 1), 0)
  await writeFile(path.join(staged.directory, 'pages.img'), Buffer.alloc(900_000))
  await writeFile(path.join(staged.directory, 'more.img'), Buffer.alloc(900_000)).catch(() => undefined)
  await expect(staged.commit()).rejects.toMatchObject(full())
  await staged.discard()
  expect((await statfs(directory)).bavail).toBe(before)
})

it('says no_space when the sums of a first reading cannot be noted, leaves nothing of them, and notes them when there is room', async () => {
  const images = openImageStore({ directory, reserveBytes: 0 })
  const staged = await images.stage(draftOf('i1', 1), 0)
  await writeFile(path.join(staged.directory, 'pages.img'), 'memory')
  const image = await staged.commit()
  const ballast = await fill()
  const verify = (): Promise<string> => images.verify(image, { bytesPerSecond: Infinity, signal: new AbortController().signal })
  await expect(verify()).rejects.toMatchObject(full())
  expect(await readdir(await images.locate(image))).toEqual(['pages.img', 'torpor-image.json'])
  await rm(ballast)
  expect([await verify(), await verify()]).toEqual(['noted', 'intact'])
})

it('removes an image where there is no room for anything', async () => {
  const images = openImageStore({ directory, reserveBytes: 0 })
  const image = await (await images.stage(draftOf('i1', 1), 0)).commit()
  await fill()
  await images.remove(image)
  expect(await readdir(directory)).toEqual(['ballast'])
})

it('says no_space when the volume has no inode left', async () => {
  const images = openImageStore({ directory, reserveBytes: 0 })
  const fillInodes = async (): Promise<void> => {
    for (let index = 0; ; index += 1) await writeFile(path.join(directory, `file-${index}`), '')
  }
  await expect(fillInodes()).rejects.toMatchObject({ code: 'ENOSPC' })
  await expect(images.stage(draftOf('i1', 1), 0)).rejects.toMatchObject(full())
})
