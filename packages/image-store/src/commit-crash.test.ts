import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import type { ImageRef, ImageStore } from '@torpor/core'
import { afterEach, beforeEach, expect, it } from 'vitest'

import { openImageStore } from './image-store.ts'

let directory = ''
beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'torpor-images-'))
})
afterEach(() => rm(directory, { recursive: true }))

const owners = ['i1', 'i2', 'i3']

/** Saves and removes images for ever, two generations at a time; says every image that it has committed. */
const program = `
  const [store, directory] = process.argv.slice(1)
  const { openImageStore } = await import(store)
  const { writeFile } = await import('node:fs/promises')
  const images = openImageStore({ directory, reserveBytes: 0 })
  const save = async (owner, generation) => {
    const staged = await images.stage({ owner, generation, kind: 'memory', engineVersion: 'fake-1' }, 0)
    for (const name of ['checkpoint.img', 'pages_meta.img', 'pages.img'])
      await writeFile(staged.directory + '/' + name, (name + generation).repeat(20_000))
    return staged.commit()
  }
  const live = async (owner) => {
    for (let generation = 1, last; ; generation += 1) {
      const next = await save(owner, generation)
      process.stdout.write(next.name + '\\n')
      if (last) await images.remove(last)
      last = next
    }
  }
  await Promise.all(${JSON.stringify(owners)}.map(live))`

function start(): ChildProcess {
  const store = path.join(import.meta.dirname, 'image-store.ts')
  const options = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', program, store, directory]
  return spawn(process.execPath, options, { stdio: ['ignore', 'pipe', 'inherit'] })
}

/** Lets it commit some images, then kills it wherever it is. Gives what it said. */
async function killedAfter(images: number): Promise<string[]> {
  const child = start()
  const said: string[] = []
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    said.push(...text.trim().split('\n'))
    if (said.length >= images) child.kill('SIGKILL')
  })
  await once(child, 'close')
  expect(child.signalCode).toBe('SIGKILL')
  return said
}

const reference = (name: string): ImageRef => ({ name, kind: 'memory', engineVersion: 'fake-1' })
const generation = (name: string): number => Number(name.split('/g')[1])
const last = (names: readonly string[], owner: string): number =>
  Math.max(0, ...names.filter((name) => name.startsWith(`${owner}/`)).map(generation))
const entries = async (): Promise<string[]> =>
  (await readdir(directory, { recursive: true })).filter((name) => name.split('/').length === 2)

async function expectWhole(images: ImageStore, name: string): Promise<void> {
  const place = await images.locate(reference(name))
  expect(await readFile(path.join(place, 'pages.img'), 'utf8')).toBe(`pages.img${generation(name)}`.repeat(20_000))
}

it('kill -9 at any moment: what can be located is whole, what was committed is there, and a sweep leaves nothing else', async () => {
  let halves = 0
  for (let round = 0; round < 8; round += 1) {
    const said = await killedAfter(5 + 2 * round)
    const images = openImageStore({ directory, reserveBytes: 0 })
    const left = await entries()
    const found = left.filter((name) => /g\d+$/.test(name))
    halves += left.length - found.length
    for (const name of found) await expectWhole(images, name)
    for (const owner of owners) expect(last(found, owner)).toBeGreaterThanOrEqual(last(said, owner))
    const kept = found.slice(0, 1)
    await images.sweep(kept.map(reference))
    expect(await entries()).toEqual(kept)
    await images.sweep([])
    expect(await readdir(directory)).toEqual([])
  }
  expect(halves).toBeGreaterThan(0)
})
