import type * as promises from 'node:fs/promises'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { openImageStore } from './image-store.ts'
import { draftOf } from './samples.ts'

/** What was synced and renamed, in order; paths below the store's parent. */
const log: string[] = []
let root = ''
/** What cannot be synced. */
let failing: string | undefined
const short = (file: unknown): string => path.relative(root, String(file))

vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof promises>()
  const open = async (file: string, flags: string | number): Promise<promises.FileHandle> => {
    const handle = await real.open(file, flags)
    const sync = handle.sync.bind(handle)
    handle.sync = async () => {
      if (short(file) === failing) throw Object.assign(new Error('sync'), { code: 'EIO' })
      await sync()
      log.push(`sync ${short(file)}`)
    }
    return handle
  }
  const rename = async (from: string, to: string): Promise<void> => {
    await real.rename(from, to)
    log.push(`rename ${short(from)} to ${short(to)}`)
  }
  return { ...real, open, rename }
})

beforeEach(async () => {
  failing = undefined
  log.length = 0
  root = await mkdtemp(path.join(tmpdir(), 'torpor-images-'))
})
afterEach(() => rm(root, { recursive: true }))

it('syncs content, then the directory that names it, then renames, then syncs what names that', async () => {
  const images = openImageStore({ directory: path.join(root, 'deep', 'images'), reserveBytes: 0 })
  const staged = await images.stage(draftOf('i1', 1), 0)
  // Whoever loses power now finds at least the owner's directory.
  expect(log.splice(0)).toEqual(['sync deep', 'sync ', 'sync deep/images'])

  await writeFile(path.join(staged.directory, 'pages.img'), 'x')
  await mkdir(path.join(staged.directory, 'more'))
  await writeFile(path.join(staged.directory, 'more', 'file'), 'x')
  await staged.commit()
  const draft = 'deep/images/i1/g1.tmp'
  const content = ['more/file', 'more', 'pages.img', 'torpor-image.json'].map((name) => `sync ${draft}/${name}`)
  expect(log.slice(0, 4).sort()).toEqual(content.sort())
  expect(log.indexOf(`sync ${draft}/more/file`)).toBeLessThan(log.indexOf(`sync ${draft}/more`))
  expect(log.slice(4)).toEqual([`sync ${draft}`, `rename ${draft} to deep/images/i1/g1`, 'sync deep/images/i1'])
})

it('takes an image back whose name may be lost: nobody was told of it', async () => {
  const images = openImageStore({ directory: root, reserveBytes: 0 })
  const staged = await images.stage(draftOf('i1', 1), 0)
  await writeFile(path.join(staged.directory, 'pages.img'), 'x')
  failing = 'i1'
  await expect(staged.commit()).rejects.toMatchObject({ code: 'EIO' })
  expect(log).toContain('rename i1/g1.tmp to i1/g1')
  await staged.discard()
  expect(await readdir(root)).toEqual([])
})

it('has renamed an image before it removes anything of it: what is left of a half removal has no name of an image', async () => {
  const images = openImageStore({ directory: root, reserveBytes: 0 })
  const image = await (await images.stage(draftOf('i1', 1), 0)).commit()
  log.length = 0
  await images.remove(image)
  expect(log).toEqual([expect.stringMatching(/^rename i1\/g1 to i1\/g1\.[0-9a-f-]+\.gone$/)])
  await mkdir(path.join(root, 'i1', 'g2.left.gone'), { recursive: true })
  expect(await images.sweep([{ name: 'i1/g2', kind: 'memory', engineVersion: 'fake-1' }])).toEqual(['i1/g2.left.gone'])
})
