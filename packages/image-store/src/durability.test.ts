import type * as promises from 'node:fs/promises'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, it, vi } from 'vitest'

import { openImageStore } from './image-store.ts'
import { draftOf } from './samples.ts'

/** What was synced and renamed, in order; paths below the store's parent. */
const log: string[] = []
let root = ''
const short = (file: unknown): string => path.relative(root, String(file))

vi.mock('node:fs/promises', async (importOriginal) => {
  const real = await importOriginal<typeof promises>()
  const open = async (file: string, flags: string): Promise<promises.FileHandle> => {
    const handle = await real.open(file, flags)
    const sync = handle.sync.bind(handle)
    handle.sync = () => sync().then(() => void log.push(`sync ${short(file)}`))
    return handle
  }
  const rename = async (from: string, to: string): Promise<void> => {
    await real.rename(from, to)
    log.push(`rename ${short(from)} to ${short(to)}`)
  }
  return { ...real, open, rename }
})

beforeEach(async () => {
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
  const inDraft = ['/more/file', '/more', '/pages.img', ''].map((name) => `sync ${draft}${name}`)
  expect(log.slice(0, 4).sort()).toEqual(inDraft.sort())
  expect(log.indexOf(`sync ${draft}/more/file`)).toBeLessThan(log.indexOf(`sync ${draft}/more`))
  expect(log.slice(4)).toEqual([
    `sync ${draft}/torpor-image.json`,
    `sync ${draft}`,
    `rename ${draft} to deep/images/i1/g1`,
    'sync deep/images/i1',
  ])
})
