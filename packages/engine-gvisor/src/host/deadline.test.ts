import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { expect, it } from 'vitest'

import { bytesIn, deadlineOf } from './deadline.ts'

it('gives each method a deadline that a timer takes, and more of it for bytes', () => {
  for (const bytes of [0, 1, 12_345, 64 * 2 ** 30]) expect(Number.isInteger(deadlineOf('restore', bytes))).toBe(true)
  expect(deadlineOf('restore', 2 ** 30) - deadlineOf('restore', 0)).toBe(262_144)
  expect(deadlineOf('list', 0)).toBeLessThan(deadlineOf('capture', 0))
})

it('adds up the files of a directory', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'torpor-bytes-'))
  await Promise.all([writeFile(path.join(directory, 'a'), 'four'), writeFile(path.join(directory, 'b'), 'and six')])
  expect(await bytesIn(directory)).toBe(11)
  await rm(directory, { recursive: true })
  expect(await bytesIn(directory)).toBe(0)
})
