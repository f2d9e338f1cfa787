import { mkdir, mkdtemp, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import type { ImageRef, ImageStore } from '@torpor/core'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { openImageStore } from './image-store.ts'
import { draftOf, flipByte } from './samples.ts'

const mebibyte = 1024 * 1024
const pagesBytes = 9 * mebibyte + 4096
let directory = ''
let images: ImageStore
let image: ImageRef

async function saved(generation: number, fill = 'memory'): Promise<ImageRef> {
  const staged = await images.stage(draftOf('i1', generation), 0)
  await writeFile(path.join(staged.directory, 'checkpoint.img'), fill)
  await writeFile(path.join(staged.directory, 'pages.img'), Buffer.alloc(pagesBytes, fill))
  return staged.commit()
}
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'torpor-images-'))
  images = openImageStore({ directory, reserveBytes: 0 })
  image = await saved(1)
})
afterEach(() => rm(directory, { recursive: true }))

const within = (name: string): string => path.join(directory, 'i1', 'g1', name)
const verify = (subject: ImageRef = image): Promise<'noted' | 'intact'> =>
  images.verify(subject, { bytesPerSecond: Infinity, signal: new AbortController().signal })

describe('verify', () => {
  it('notes the sums of the pages at the first reading, and finds them again at later ones', async () => {
    expect(await readdir(path.dirname(within('')))).not.toContain('torpor-sums.json')
    expect([await verify(), await verify(), await verify()]).toEqual(['noted', 'intact', 'intact'])
    expect(await readdir(path.join(directory, 'i1', 'g1'))).toEqual([
      'checkpoint.img',
      'pages.img',
      'torpor-image.json',
      'torpor-sums.json',
    ])
    expect(await images.locate(image)).toBe(path.join(directory, 'i1', 'g1'))
  })

  it('finds one changed byte of the pages, and tells the operator the piece of 4 MiB', async () => {
    await verify()
    for (const [flipped, offset] of [
      [0, 0],
      [4 * mebibyte, 4 * mebibyte],
      [8 * mebibyte - 1, 4 * mebibyte],
      [pagesBytes - 1, 8 * mebibyte],
    ] as const) {
      await flipByte(within('pages.img'), flipped)
      await expect(verify()).rejects.toMatchObject({ kind: 'damaged', context: { file: 'pages.img', offset, length: 4 * mebibyte } })
      await flipByte(within('pages.img'), flipped)
    }
    expect(await verify()).toBe('intact')
  })

  it('finds a changed byte of a small file at the first reading, whatever was found before', async () => {
    await images.locate(image)
    await flipByte(within('checkpoint.img'), 2)
    await expect(verify()).rejects.toMatchObject({ kind: 'damaged', context: { file: 'checkpoint.img' } })
    expect(await readdir(path.join(directory, 'i1', 'g1'))).not.toContain('torpor-sums.json')
  })

  it.each(['checkpoint.img', 'pages.img'])('finds %s missing or cut short', async (file) => {
    await truncate(within(file), 1)
    await expect(verify()).rejects.toMatchObject({ kind: 'damaged', context: { file } })
    await rm(within(file))
    await expect(verify()).rejects.toMatchObject({ kind: 'damaged', context: { file } })
  })

  it('reads files that are empty, full of holes, or of a size that no block divides', async () => {
    const staged = await images.stage(draftOf('i1', 2), 0)
    for (const [name, size] of [
      ['empty/pages.img', 0],
      ['holes/pages.img', 6 * mebibyte],
      ['odd/pages.img', 12_345],
    ] as const) {
      await mkdir(path.dirname(path.join(staged.directory, name)))
      await writeFile(path.join(staged.directory, name), '')
      await truncate(path.join(staged.directory, name), size)
    }
    const next = await staged.commit()
    expect([await verify(next), await verify(next)]).toEqual(['noted', 'intact'])
    const place = await images.locate(next)
    expect((await stat(path.join(place, 'holes/pages.img'))).blocks).toBe(0)
  })

  it('reads an image with a note of version 1 by its sums alone', async () => {
    await writeFile(within('torpor-image.json'), JSON.stringify({ engineVersion: 'fake-1', bytes: 1, createdAt: 5 }))
    expect([await verify(), await verify()]).toEqual(['noted', 'intact'])
    await flipByte(within('checkpoint.img'), 2)
    await expect(verify()).rejects.toMatchObject({ kind: 'damaged', context: { file: 'checkpoint.img', offset: 0 } })
    await rm(within('checkpoint.img'))
    await expect(verify()).rejects.toMatchObject({ kind: 'damaged', context: { file: 'checkpoint.img' } })
  })
})

describe('the noted sums', () => {
  const sums = (): Promise<string> => readFile(within('torpor-sums.json'), 'utf8')

  it('are of one image, not of its name', async () => {
    await verify()
    const old = await sums()
    await saved(1, 'another')
    await writeFile(within('torpor-sums.json'), old)
    expect([await verify(), await verify()]).toEqual(['noted', 'intact'])
  })

  it.each(['', '{', '[]', '{"sha256":"","content":{}}'])('are noted anew when they are %j', async (content) => {
    await writeFile(within('torpor-sums.json'), content)
    expect([await verify(), await verify()]).toEqual(['noted', 'intact'])
  })

  it('do not take their own damage for that of the pages', async () => {
    await verify()
    const old = await sums()
    for (let offset = 0; offset < old.length; offset += 13) {
      await writeFile(within('torpor-sums.json'), old)
      await flipByte(within('torpor-sums.json'), offset)
      expect(await verify()).toBe('noted')
    }
  })
})

describe('a reading that does not come to its end', () => {
  it('is ended by its signal, with its reason, and notes nothing', async () => {
    const abort = new AbortController()
    const reading = images.verify(image, { bytesPerSecond: mebibyte, signal: abort.signal })
    setImmediate(() => abort.abort(new Error('stopping')))
    await expect(reading).rejects.toThrow('stopping')
    await expect(images.verify(image, { bytesPerSecond: 1, signal: abort.signal })).rejects.toThrow('stopping')
    expect(await readdir(path.join(directory, 'i1', 'g1'))).not.toContain('torpor-sums.json')
  })

  it('is not_found when the image is removed meanwhile', async () => {
    const { signal } = new AbortController()
    // Asked after every chunk: the first one has been read.
    const removed = new Promise((resolve) => {
      vi.spyOn(signal, 'throwIfAborted').mockImplementationOnce(() => resolve(images.remove(image)))
    })
    await expect(images.verify(image, { bytesPerSecond: 40 * mebibyte, signal })).rejects.toMatchObject({ kind: 'not_found' })
    await removed
    await expect(verify()).rejects.toMatchObject({ kind: 'not_found' })
    expect(await readdir(directory)).toEqual([])
  })

  it('may be one of many of the same image', async () => {
    expect(new Set(await Promise.all(Array.from({ length: 6 }, () => verify())))).toContain('noted')
    expect(await verify()).toBe('intact')
    expect((await readdir(path.join(directory, 'i1', 'g1'))).length).toBe(4)
  })
})

describe('its pace', () => {
  it('is at most what it was given', async () => {
    const begun = performance.now()
    await images.verify(image, { bytesPerSecond: 20 * mebibyte, signal: new AbortController().signal })
    // 9 MiB: 450 ms; what may be caught up is 100 ms.
    expect(performance.now() - begun).toBeGreaterThan(340)
  })

  it.each([0, -1, Number.NaN])('cannot be %d', async (bytesPerSecond) => {
    await expect(images.verify(image, { bytesPerSecond, signal: new AbortController().signal })).rejects.toMatchObject({ kind: 'internal' })
  })
})
