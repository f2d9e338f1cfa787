import { mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import type { ImageRef, ImageStore } from '@torpor/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { openImageStore } from './image-store.ts'
import { draftOf } from './samples.ts'

let directory = ''
let images: ImageStore

beforeEach(async () => {
  directory = path.join(await mkdtemp(path.join(tmpdir(), 'torpor-images-')), 'images')
  images = openImageStore({ directory, reserveBytes: 0 })
})
afterEach(() => rm(path.dirname(directory), { recursive: true }))

async function saved(owner: string, generation: number, content = 'memory'): Promise<ImageRef> {
  const staged = await images.stage(draftOf(owner, generation), 0)
  await writeFile(path.join(staged.directory, 'pages.img'), content)
  return staged.commit()
}

const below = async (): Promise<string[]> => (await readdir(directory, { recursive: true })).sort()

describe('commit', () => {
  it('puts the image under its owner and generation, with a note of what it is', async () => {
    const before = Date.now()
    const image = await saved('i1', 3, 'seventeen bytes..')
    expect(image).toEqual({ name: 'i1/g3', kind: 'memory', engineVersion: 'fake-1' })
    expect(await below()).toEqual(['i1', 'i1/g3', 'i1/g3/pages.img', 'i1/g3/torpor-image.json'])
    const note: unknown = JSON.parse(await readFile(path.join(directory, 'i1/g3/torpor-image.json'), 'utf8'))
    const files = [{ name: 'pages.img', size: 17 }]
    expect(note).toEqual({ version: 2, kind: 'memory', engineVersion: 'fake-1', bytes: 17, createdAt: expect.any(Number), files })
    expect(note).toHaveProperty('createdAt', expect.closeTo(before, -5))
  })

  it('keeps images from other users of the machine', async () => {
    await saved('i1', 1)
    for (const name of ['.', 'i1', 'i1/g1']) expect((await stat(path.join(directory, name))).mode & 0o777).toBe(0o700)
  })

  it('leaves nothing to see before it', async () => {
    const staged = await images.stage(draftOf('i1', 1), 0)
    expect(await readdir(staged.directory)).toEqual([])
    await expect(images.locate({ name: 'i1/g1', kind: 'memory', engineVersion: 'fake-1' })).rejects.toMatchObject({ kind: 'not_found' })
    await staged.discard()
  })

  it('holds what the engine put into directories of its own', async () => {
    const staged = await images.stage(draftOf('i1', 1), 0)
    await mkdir(path.join(staged.directory, 'deep'))
    await writeFile(path.join(staged.directory, 'deep', 'file'), 'x')
    const place = await images.locate(await staged.commit())
    expect(await readFile(path.join(place, 'deep', 'file'), 'utf8')).toBe('x')
  })
})

describe('stage', () => {
  it('clears away what a crashed attempt left', async () => {
    const first = await images.stage(draftOf('i1', 1), 0)
    await writeFile(path.join(first.directory, 'half.img'), 'x')
    const second = await images.stage(draftOf('i1', 1), 0)
    expect(await readdir(second.directory)).toEqual([])
  })

  it('replaces an image that was renamed but never recorded', async () => {
    await saved('i1', 1, 'never recorded')
    const place = await images.locate(await saved('i1', 1, 'recorded'))
    expect(await readFile(path.join(place, 'pages.img'), 'utf8')).toBe('recorded')
  })

  it.each(['..', '../x', 'a/b', '', 'A', 'a\0', 'x'.repeat(65), '.'])('refuses %j as an owner', async (owner) => {
    await expect(images.stage(draftOf(owner, 1), 0)).rejects.toMatchObject({ kind: 'internal' })
  })

  it.each([-1, 1.5, Number.NaN, 1e21])('refuses %d as a generation', async (generation) => {
    await expect(images.stage(draftOf('i1', generation), 0)).rejects.toMatchObject({ kind: 'internal' })
  })
})

describe('discard', () => {
  it('removes the draft, any number of times', async () => {
    const staged = await images.stage(draftOf('i1', 1), 0)
    await writeFile(path.join(staged.directory, 'half.img'), 'x')
    await staged.discard()
    await staged.discard()
    expect(await below()).toEqual([])
  })

  it('does nothing after commit', async () => {
    const staged = await images.stage(draftOf('i1', 1), 0)
    const image = await staged.commit()
    const next = await images.stage(draftOf('i1', 1), 0)
    await staged.discard()
    expect(await images.locate(image)).toBe(path.join(directory, 'i1/g1'))
    expect(await readdir(next.directory)).toEqual([])
  })
})

describe('locate and remove', () => {
  it('tell of an image that is gone with not_found, and without a path for the user', async () => {
    const image = await saved('i1', 1)
    await images.remove(image)
    await images.remove(image)
    await expect(images.locate(image)).rejects.toMatchObject({ kind: 'not_found', message: expect.not.stringContaining(directory) })
    expect(await below()).toEqual([])
  })

  it('leave the other generations of the owner', async () => {
    const [first, second] = [await saved('i1', 1), await saved('i1', 2)]
    await images.remove(first)
    expect(await images.locate(second)).toBe(path.join(directory, 'i1/g2'))
  })

  it.each(['../etc', 'i1/../../x', 'i1/g1.tmp', 'i1', '/etc/passwd', 'i1/g1/torpor-image.json'])('refuse the name %j', async (name) => {
    await expect(images.locate({ name, kind: 'memory', engineVersion: 'fake-1' })).rejects.toMatchObject({ kind: 'internal' })
    await expect(images.remove({ name, kind: 'memory', engineVersion: 'fake-1' })).rejects.toMatchObject({ kind: 'internal' })
  })

  it('do not take an image for that of another engine build', async () => {
    const image = await saved('i1', 1)
    await expect(images.locate({ ...image, engineVersion: 'fake-2' })).rejects.toMatchObject({ kind: 'damaged' })
  })

  it('may happen while the next generation is begun', async () => {
    const owners = Array.from({ length: 300 }, (_, index) => `i${index}`)
    const firsts = await Promise.all(owners.map((owner) => saved(owner, 1)))
    await Promise.all(firsts.flatMap((image, index) => [images.remove(image), saved(`i${index}`, 2)]))
    expect((await readdir(directory, { recursive: true })).filter((name) => /g\d+$/.test(name)).length).toBe(300)
  })
})

describe('sweep', () => {
  it('removes drafts and what nobody names, and nothing else', async () => {
    const kept = await saved('i1', 2)
    await saved('i1', 1)
    await saved('i2', 1)
    await images.stage(draftOf('i1', 3), 0)
    await images.stage(draftOf('i3', 1), 0)
    expect(await images.sweep([kept])).toEqual(['i1/g1', 'i1/g3.tmp', 'i2/g1', 'i3/g1.tmp'])
    expect(await below()).toEqual(['i1', 'i1/g2', 'i1/g2/pages.img', 'i1/g2/torpor-image.json'])
    expect(await images.sweep([kept])).toEqual([])
  })

  it('works where there is nothing yet', async () => {
    expect(await images.sweep([])).toEqual([])
  })

  it('keeps what is named even when its note is damaged: only a person may decide on it', async () => {
    const image = await saved('i1', 1)
    await writeFile(path.join(directory, 'i1/g1/torpor-image.json'), '{')
    expect(await images.sweep([image])).toEqual([])
    await expect(images.locate(image)).rejects.toMatchObject({ kind: 'damaged' })
  })

  it('leaves alone what is not an image of ours', async () => {
    await mkdir(path.join(directory, 'lost+found'), { recursive: true })
    await writeFile(path.join(directory, 'README'), 'x')
    await images.sweep([])
    expect(await below()).toEqual(['README', 'lost+found'])
  })
})

describe('one owner', () => {
  it('may save an image while its last one is being removed', async () => {
    let last = await saved('i1', 1)
    for (let generation = 2; generation < 100; generation += 1) {
      const [next] = await Promise.all([saved('i1', generation), images.remove(last)])
      last = next
    }
    expect(await below()).toContain('i1/g99/pages.img')
  })
})
