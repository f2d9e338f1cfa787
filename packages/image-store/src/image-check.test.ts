import { mkdir, mkdtemp, open, readFile, rename, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import type { ImageRef, ImageStore } from '@torpor/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { noticeDamage } from './damage.ts'
import { openImageStore } from './image-store.ts'
import { draftOf, flipByte } from './samples.ts'

let directory = ''
let images: ImageStore
let image: ImageRef
let place = ''

const saved = async (generation: number): Promise<ImageRef> => {
  const staged = await images.stage(draftOf('i1', generation), 0)
  for (const [name, size] of Object.entries({ 'checkpoint.img': 300_000, 'pages_meta.img': 3000, 'pages.img': 40_000 }))
    await writeFile(path.join(staged.directory, name), Buffer.alloc(size, name))
  return staged.commit()
}
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'torpor-images-'))
  images = openImageStore({ directory, reserveBytes: 0 })
  image = await saved(1)
  place = path.join(directory, 'i1', 'g1')
})
afterEach(() => rm(directory, { recursive: true }))

const within = (name: string): string => path.join(place, name)
/** What users are told; the operator is told the file. */
const damagedAt = (file: string): object => ({
  kind: 'damaged',
  message: expect.stringMatching(/^The saved state of this sandbox is damaged: [^/]+\. Nothing was started from it\./),
  context: expect.objectContaining({ file, directory: place }),
})
const noteOf = async (): Promise<Record<string, unknown>> => JSON.parse(await readFile(within('torpor-image.json'), 'utf8'))
const writeNote = (note: unknown): Promise<void> => writeFile(within('torpor-image.json'), JSON.stringify(note))

describe('locate starts nothing from damaged state', () => {
  it('finds a whole image, again and again', async () => {
    expect([await images.locate(image), await images.locate(image)]).toEqual([place, place])
  })

  it.each(['checkpoint.img', 'pages_meta.img', 'pages.img'])('when %s is missing', async (file) => {
    await rm(within(file))
    await expect(images.locate(image)).rejects.toMatchObject(damagedAt(file))
  })

  it.each(['checkpoint.img', 'pages_meta.img', 'pages.img'])('when %s is cut short', async (file) => {
    await truncate(within(file), 2999)
    await expect(images.locate(image)).rejects.toMatchObject(damagedAt(file))
  })

  it.each(['checkpoint.img', 'pages_meta.img', 'pages.img'])('when %s has grown', async (file) => {
    await writeFile(within(file), 'x', { flag: 'a' })
    await expect(images.locate(image)).rejects.toMatchObject(damagedAt(file))
  })

  it.each(['checkpoint.img', 'pages_meta.img'])('when one byte of %s is another', async (file) => {
    await flipByte(within(file), 1234)
    await expect(images.locate(image)).rejects.toMatchObject(damagedAt(file))
  })

  it('when a file is a directory', async () => {
    await rm(within('checkpoint.img'))
    await mkdir(within('checkpoint.img'))
    await expect(images.locate(image)).rejects.toMatchObject(damagedAt('checkpoint.img'))
  })

  it.each(['', '{', '{"version":2}', '[]', '{"version":2,"engineVersion":"fake-1","bytes":1,"createdAt":1}'])(
    'when its note is %j',
    async (note) => {
      await writeFile(within('torpor-image.json'), note)
      await expect(images.locate(image)).rejects.toMatchObject(damagedAt('torpor-image.json'))
    },
  )

  it('when its note is missing', async () => {
    await rm(within('torpor-image.json'))
    await expect(images.locate(image)).rejects.toMatchObject(damagedAt('torpor-image.json'))
  })

  it('when its note lies about a size', async () => {
    await writeNote({ ...(await noteOf()), files: [{ name: 'pages.img', size: 39_999 }] })
    await expect(images.locate(image)).rejects.toMatchObject({ ...damagedAt('pages.img'), context: { noted: 39_999, found: 40_000 } })
  })

  it('when it is of another kind than the record says: files alone are never taken for a memory', async () => {
    await expect(images.locate({ ...image, kind: 'files' })).rejects.toMatchObject(damagedAt('torpor-image.json'))
  })

  it.each(['EIO', 'EUCLEAN', 'EBADMSG'])('when the disk says %s', async (code) => {
    const failing = noticeDamage('pages.img', () => Promise.reject(Object.assign(new Error('read'), { code })))
    await expect(failing).rejects.toMatchObject({ kind: 'damaged', context: { file: 'pages.img' } })
  })

  it.each(['EMFILE', 'ENOMEM', 'EACCES'])('but takes %s for no damage: that is about the server', async (code) => {
    const failing = noticeDamage('pages.img', () => Promise.reject(Object.assign(new Error('read'), { code })))
    await expect(failing).rejects.toMatchObject({ code })
  })
})

describe('the check of a warm image', () => {
  it('reads no file again that was found whole and has not changed since', async () => {
    await utimes(within('checkpoint.img'), 1, 1)
    await images.locate(image)
    await flipByte(within('checkpoint.img'), 7)
    // The only way to see that it is not read: a change that leaves no trace in time, size or inode.
    await utimes(within('checkpoint.img'), 1, 1)
    expect(await images.locate(image)).toBe(place)
    const another = openImageStore({ directory, reserveBytes: 0 })
    await expect(another.locate(image)).rejects.toMatchObject(damagedAt('checkpoint.img'))
  })

  it('is done anew for a file that was written since', async () => {
    await images.locate(image)
    await flipByte(within('checkpoint.img'), 7)
    await expect(images.locate(image)).rejects.toMatchObject(damagedAt('checkpoint.img'))
  })

  it('is done anew for another file in its place', async () => {
    await images.locate(image)
    const copy = await readFile(within('checkpoint.img'))
    copy[5] = 1
    await writeFile(within('copy'), copy)
    await rename(within('copy'), within('checkpoint.img'))
    await expect(images.locate(image)).rejects.toMatchObject(damagedAt('checkpoint.img'))
  })
})

describe('an image of an older server', () => {
  it('has a note of version 1, is one of memory, and nothing of it can be checked', async () => {
    await writeNote({ engineVersion: 'fake-1', bytes: 343_000, createdAt: 5 })
    await flipByte(within('checkpoint.img'), 7)
    expect(await images.locate(image)).toBe(place)
    await expect(images.locate({ ...image, kind: 'files' })).rejects.toMatchObject({ kind: 'damaged' })
  })
})

describe('what is page data', () => {
  it('is told by name and by size: its sum is not in the note', async () => {
    const staged = await images.stage({ ...draftOf('i2', 1), kind: 'files' }, 0)
    for (const name of ['rootfs-upper.tar', 'small', 'large']) await writeFile(path.join(staged.directory, name), 'x')
    const large = await open(path.join(staged.directory, 'large'), 'r+')
    await large.truncate(64 * 1024 * 1024 + 1)
    await large.close()
    place = await images.locate(await staged.commit())
    expect(await noteOf()).toMatchObject({
      kind: 'files',
      files: [
        { name: 'large', size: 64 * 1024 * 1024 + 1 },
        { name: 'rootfs-upper.tar', size: 1 },
        { name: 'small', size: 1, sha256: '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881' },
      ],
    })
  })
})

describe('usage', () => {
  it('tells what the files say and what the disk spends', async () => {
    const pages = await open(within('pages.img'), 'r+')
    await pages.truncate(10_000_000)
    await pages.close()
    const { bytes, allocatedBytes } = await images.usage(image)
    const note = (await stat(within('torpor-image.json'))).size
    expect(bytes).toBe(10_303_000 + note)
    expect(allocatedBytes).toBeGreaterThanOrEqual(343_000)
    expect(allocatedBytes).toBeLessThan(500_000)
  })

  it('says not_found of an image that is not there', async () => {
    await expect(images.usage({ ...image, name: 'i1/g2' })).rejects.toMatchObject({ kind: 'not_found' })
  })
})

describe('an image that is removed while it is looked at', () => {
  it('is not_found, never damaged', async () => {
    const outcomes = new Set<unknown>()
    for (let generation = 2; generation < 150; generation += 1) {
      const next = await saved(generation)
      const locating = Promise.all(Array.from({ length: 8 }, () => images.locate(next).catch((error: unknown) => error)))
      await images.remove(next)
      for (const outcome of await locating) outcomes.add(outcome instanceof Error && 'kind' in outcome ? outcome.kind : typeof outcome)
    }
    expect([...outcomes].filter((outcome) => outcome !== 'string')).toEqual(['not_found'])
  })
})
