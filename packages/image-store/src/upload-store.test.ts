import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { buffer } from 'node:stream/consumers'

import type { Uploads } from '@torpor/core'
import { afterEach, beforeEach, expect, it } from 'vitest'

import { openUploadStore } from './upload-store.ts'

const hash = 'a'.repeat(64)
let directory: string
let uploads: Uploads

beforeEach(async () => {
  directory = path.join(await mkdtemp(path.join(tmpdir(), 'torpor-uploads-')), 'uploads')
  uploads = openUploadStore({ directory, mostBytes: 10, reserveBytes: 0 })
})
afterEach(() => rm(path.dirname(directory), { recursive: true }))

async function* pieces(...texts: string[]): AsyncGenerator<Buffer> {
  for (const text of texts) yield Buffer.from(text)
}

it('keeps an archive and gives it back; a second one takes its place', async () => {
  expect(await uploads.has(hash)).toBe(false)
  await uploads.receive(hash, pieces('one', 'two'), 6)
  await uploads.receive(hash, pieces('three'), undefined)
  const { bytes, content } = await uploads.open(hash)
  expect([await uploads.has(hash), bytes, (await buffer(content)).toString(), await readdir(directory)]).toEqual([true, 5, 'three', [hash]])
})

it.each<[string, AsyncIterable<Uint8Array>, number | undefined, string]>([
  ['that is announced too large', pieces('a'), 11, 'body_too_large'],
  ['that turns out too large', pieces('123456', '123456'), undefined, 'body_too_large'],
  ['that ends early', pieces('a'), 5, 'invalid_argument'],
])('leaves nothing of an archive %s, and the former one in place', async (_what, content, announced, kind) => {
  await uploads.receive(hash, pieces('former'), 6)
  await expect(uploads.receive(hash, content, announced)).rejects.toMatchObject({ kind })
  expect([(await buffer((await uploads.open(hash)).content)).toString(), await readdir(directory)]).toEqual(['former', [hash]])
})

it('leaves nothing when the client breaks off', async () => {
  const broken = (async function* () {
    yield Buffer.from('a')
    throw new Error('reset')
  })()
  await expect(uploads.receive(hash, broken, undefined)).rejects.toThrow('reset')
  expect([await readdir(directory), await uploads.has(hash)]).toEqual([[], false])
})

it('clears what an earlier server had not received to the end', async () => {
  await uploads.clearUnfinished()
  await uploads.receive(hash, pieces('whole'), 5)
  await writeFile(path.join(directory, `${hash}.1.part`), 'ha')
  await uploads.clearUnfinished()
  expect(await readdir(directory)).toEqual([hash])
})

it.each(['../../../../etc/passwd', 'a/b', '.', 'short'])('takes %s for no hash', async (name) => {
  await expect(uploads.has(name)).rejects.toMatchObject({ kind: 'invalid_argument' })
  await expect(uploads.receive(name, pieces('a'), 1)).rejects.toMatchObject({ kind: 'invalid_argument' })
})

it('sweeps what was not used since a time; asking for it counts as use', async () => {
  const other = 'b'.repeat(64)
  await uploads.sweep(Date.now())
  for (const name of [hash, other]) {
    await uploads.receive(name, pieces('a'), 1)
    await utimes(path.join(directory, name), new Date(0), new Date(0))
  }
  await uploads.has(hash)
  await uploads.sweep(Date.now() - 60_000)
  expect(await readdir(directory)).toEqual([hash])
  await expect(uploads.open(other)).rejects.toMatchObject({ kind: 'not_found' })
})
