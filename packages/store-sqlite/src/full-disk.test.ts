import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, it } from 'vitest'

import { sampleEvent, sampleSandbox } from './samples.ts'
import { openStore } from './sqlite-store.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'torpor-store-full-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', directory])
})
afterEach(() => {
  // Lazily: a test that failed may still hold a file open.
  execFileSync('umount', ['--lazy', directory])
  rmSync(directory, { recursive: true })
})

it('says no_space when the disk is full, changes nothing, and goes on when there is room', () => {
  const store = openStore(path.join(directory, 'torpor.db'))
  const before = sampleSandbox()
  store.insertSandbox(before)
  const ballast = path.join(directory, 'ballast')
  const { bavail, bsize } = statfsSync(directory)
  writeFileSync(ballast, Buffer.alloc(bavail * bsize))
  const large = { ...before, metadata: { filler: 'x'.repeat(100_000) } }
  const full = expect.objectContaining({ kind: 'no_space', message: expect.not.stringContaining(directory) })

  expect(() => store.insertSandbox({ ...large, id: 'i2' })).toThrow(full)
  expect(() => {
    for (let generation = 0; generation < 100; generation += 1) store.recordEvent(sampleEvent({ reason: 'x'.repeat(10_000) }))
  }).toThrow(full)
  expect(() => store.updateSandbox(before, { execution: 'x'.repeat(10_000) })).toThrow(full)
  expect(() => store.deleteSandbox(before.id, sampleEvent({ reason: 'x'.repeat(10_000) }))).toThrow(full)
  expect(store.getSandbox(before.id)).toEqual(before)

  rmSync(ballast)
  store.insertSandbox({ ...large, id: 'i2' })
  expect(store.updateSandbox(before, { generation: 1 })?.generation).toBe(1)
  store.close()
})
