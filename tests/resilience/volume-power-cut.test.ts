import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { type Step, steps } from '@torpor/core'
import { type TestWorld, bootWorld } from '@torpor/testkit'
import { Sandbox } from 'e2b'
import { afterAll, beforeAll, expect, test } from 'vitest'

const run = promisify(execFile)
const settings = { TORPOR_VOLUME_SIZE: '6144', TORPOR_MEMORY_MIB: '512', TORPOR_WARM_POOL: '0', TORPOR_LOG_LEVEL: 'error' }
/** From here on it is on record that it sleeps. */
const savedFrom: readonly Step[] = ['pause committed', 'pause ended']
const watched: readonly Step[] = [...steps.pause, ...steps.capture, ...steps.snapshot]

/** What was on the disk when the power went, at a step. */
interface Cut {
  readonly step: Step
  readonly dataDirectory: string
}

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'torpor-power-'))
})
afterAll(() => rm(directory, { recursive: true, force: true }))

/** The disk as it is now, without a word to the file systems on it: records, secrets, and the volume with all that it had not written yet left out. */
async function cutPower(from: string, step: Step): Promise<Cut> {
  const dataDirectory = path.join(directory, step.replaceAll(' ', '-'))
  await mkdir(dataDirectory, { mode: 0o700 })
  for (const name of ['torpor.db', 'torpor.db-wal', 'torpor.db-shm', 'api-key', 'server-secret']) {
    await cp(path.join(from, name), path.join(dataDirectory, name)).catch(() => undefined)
  }
  await run('cp', ['--sparse=always', path.join(from, 'volume.img'), path.join(dataDirectory, 'volume.img')])
  return { step, dataDirectory }
}

const word = async (sandbox: Sandbox): Promise<string> => sandbox.files.read('/dev/shm/word')

/** A sandbox that sleeps, one that is put to sleep for the second time, and a snapshot: cut at every step of that. */
async function lives(): Promise<{ readonly cuts: Cut[]; readonly asleep: string; readonly again: string }> {
  const cuts: Cut[] = []
  let watching = false
  const state: { world?: TestWorld } = {}
  state.world = await bootWorld(settings, {
    reached: async (step) => {
      if (watching && state.world && watched.includes(step)) cuts.push(await cutPower(state.world.dataDirectory, step))
    },
  })
  const { world } = state
  try {
    Object.assign(process.env, world.env)
    const [asleep, again] = [await Sandbox.create(), await Sandbox.create()]
    for (const sandbox of [asleep, again]) {
      await sandbox.files.write('/dev/shm/word', 'first')
      await sandbox.commands.run('head -c 64M /dev/urandom > /dev/shm/much; sha256sum /dev/shm/much > /dev/shm/sum')
      await sandbox.pause()
    }
    await again.connect()
    await again.files.write('/dev/shm/word', 'second')
    // From then on the first state is not its last one any more.
    await expect.poll(() => world.useCases.getSandbox(again.sandboxId).image).toBeNull()
    watching = true
    await again.createSnapshot()
    await again.pause()
    watching = false
    return { cuts, asleep: asleep.sandboxId, again: again.sandboxId }
  } finally {
    await world.close()
  }
}

test('a loss of power between any two steps of a pause or a snapshot leaves every saved state whole', { timeout: 400_000 }, async () => {
  const { cuts, asleep, again } = await lives()
  expect(cuts.map(({ step }) => step)).toEqual([...steps.capture, ...steps.snapshot, ...steps.pause])
  for (const { step, dataDirectory } of cuts) {
    const world = await bootWorld(settings, { dataDirectory })
    try {
      Object.assign(process.env, world.env)
      const sleeper = await Sandbox.connect(asleep)
      expect([step, await word(sleeper)]).toEqual([step, 'first'])
      await sleeper.commands.run('sha256sum --check /dev/shm/sum')
      const isSaved = savedFrom.includes(step)
      const other = await Sandbox.connect(again).catch(() => undefined)
      expect([step, other && (await word(other))]).toEqual([step, isSaved ? 'second' : undefined])
      await other?.commands.run('sha256sum --check /dev/shm/sum')
      for (const { snapshotId } of await Sandbox.listSnapshots().nextItems()) {
        const made = await Sandbox.create(snapshotId)
        expect([step, await word(made)]).toEqual([step, 'second'])
        await made.commands.run('sha256sum --check /dev/shm/sum')
      }
    } finally {
      await world.close()
    }
  }
})
