import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, it } from 'vitest'

import { forgetNeeds, noteNeeds } from './artifact-needs.ts'
import { markOf, renewUse } from './artifact-use.ts'
import { publish } from './artifact.ts'
import { collectArtifacts } from './collect-artifacts.ts'

const day = 24 * 3_600_000
const none = { engines: [], agents: [], rootfs: [] }
let directory: string
let dataDirectory: string
let told: string[]
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'torpor-collect-'))
  dataDirectory = path.join(directory, 'data')
  mkdirSync(dataDirectory)
  told = []
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const options = () => ({ logFile: path.join(directory, 'log'), timeoutMilliseconds: 5000, signal: new AbortController().signal })

/** An artifact that was used last so many days ago. */
async function artifact(name: string, days: number): Promise<string> {
  const made = path.join(directory, name)
  await publish(made, options(), async (output) => {
    mkdirSync(output)
    writeFileSync(path.join(output, 'file'), 'x'.repeat(3 * 1024 ** 2))
    await Promise.resolve()
  })
  const then = new Date(Date.now() - days * day)
  utimesSync(markOf(made), then, then)
  return made
}

const collect = (...current: string[]): Promise<void> =>
  collectArtifacts(directory, { ...options(), current, now: Date.now(), tell: (text) => void told.push(text) })

it('removes what nobody needs and nobody used for 14 days, and says what was freed', async () => {
  const old = [await artifact('rootfs/base-1', 20), await artifact('engines/e1', 15), await artifact('agents/a1', 15)]
  const fresh = await artifact('rootfs/base-2', 13)
  await collect()
  expect(old.filter((one) => existsSync(one) || existsSync(markOf(one)))).toEqual([])
  expect(existsSync(fresh)).toBe(true)
  expect(told.toSorted()).toEqual([
    expect.stringMatching(/^removed agents\/a1, /),
    expect.stringMatching(/^removed engines\/e1, /),
    expect.stringMatching(/^removed rootfs\/base-1, not used for 20 days: [34] MiB freed$/),
  ])
  expect(readdirSync(path.join(directory, 'rootfs'))).toEqual(['base-2'])
})

it('keeps what a data directory needs, however long its server is down, and what it does not need no longer than that', async () => {
  const needed = [await artifact('rootfs/base-1', 400), await artifact('engines/e1', 400), await artifact('agents/a1', 400)]
  await noteNeeds(directory, dataDirectory, { engines: ['e1'], agents: ['a1'], rootfs: ['base-1'] })
  await collect()
  expect([needed.map((one) => existsSync(one)), told]).toEqual([[true, true, true], []])
  await noteNeeds(directory, dataDirectory, { ...none, engines: ['e1'] })
  await collect()
  expect(needed.map((one) => existsSync(one))).toEqual([false, true, false])
  await forgetNeeds(directory, dataDirectory)
  await collect()
  expect(needed.map((one) => existsSync(one))).toEqual([false, false, false])
})

it('keeps this version, what is used again, and what was there before uses were marked', async () => {
  const [current, again, unmarked] = [
    await artifact('tools/oci-1', 20),
    await artifact('tools/oci-2', 20),
    path.join(directory, 'agents/a0'),
  ]
  mkdirSync(unmarked, { recursive: true })
  await Promise.all([renewUse(again), renewUse(unmarked)])
  await collect(current)
  expect([current, again, unmarked].map((one) => existsSync(one))).toEqual([true, true, true])
})

it('counts a data directory whose disk is away for 14 days more', async () => {
  const needed = await artifact('engines/e1', 400)
  await noteNeeds(directory, dataDirectory, { ...none, engines: ['e1'] })
  rmSync(dataDirectory, { recursive: true })
  await collect()
  expect(existsSync(needed)).toBe(true)
  const notes = path.join(directory, 'needs')
  const [note = ''] = readdirSync(notes)
  utimesSync(path.join(notes, note), new Date(0), new Date(0))
  await collect()
  expect([existsSync(needed), readdirSync(notes)]).toEqual([false, []])
})

it.each(['', '{', '[]', '[1]', '{"a":1}'])('removes nothing when a note is damaged: %s', async (text) => {
  const old = await artifact('engines/e1', 400)
  await noteNeeds(directory, dataDirectory, none)
  const notes = path.join(directory, 'needs')
  for (const name of readdirSync(notes)) writeFileSync(path.join(notes, name), text)
  await expect(collect()).rejects.toThrow('damaged')
  expect(existsSync(old)).toBe(true)
})

it('leaves alone what is being made', async () => {
  const building = path.join(directory, 'rootfs', '.building-x')
  mkdirSync(building, { recursive: true })
  await collect()
  expect(existsSync(building)).toBe(true)
})
