import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterAll, beforeAll, expect, it } from 'vitest'

import { Floor } from './floor.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'torpor-floor-'))
})
afterAll(() => rm(directory, { recursive: true }))

it('is one line of 20 digits, whatever it was before', async () => {
  const floor = new Floor(path.join(directory, 'floor'))
  floor.set(12_345_678_901)
  expect(await readFile(floor.file, 'utf8')).toBe('00000000012345678901\n')
  floor.set(7)
  expect(await readFile(floor.file, 'utf8')).toBe('00000000000000000007\n')
  floor.close()
  const next = new Floor(floor.file)
  expect(await readFile(floor.file, 'utf8')).toBe('00000000000000000007\n')
  next.set(8)
  next.close()
  expect(await readFile(floor.file, 'utf8')).toBe('00000000000000000008\n')
})
