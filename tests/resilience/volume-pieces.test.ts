import { type TestWorld, bootWorld } from '@torpor/testkit'
import { Sandbox } from 'e2b'
import { afterAll, beforeAll, expect, test } from 'vitest'

let world: TestWorld
beforeAll(async () => {
  world = await bootWorld({ TORPOR_VOLUME_SIZE: '8192', TORPOR_WARM_POOL: '0', TORPOR_WARM_MEMORY: '0', TORPOR_LOG_LEVEL: 'warn' })
  Object.assign(process.env, world.env)
})
afterAll(() => world?.close())

const scatter = `
import os, random
with open('/dev/shm/much', 'r+b') as file:
    for page in random.sample(range(256 << 8), 4000):
        file.seek(page << 12)
        file.write(os.urandom(16))
`

const saved = async (id: string) => (await world.useCases.inventory()).sandboxes.find(({ view }) => view.id === id)?.image

/** Wakes it, lets its memory be shared with a snapshot, and writes to that here and there; puts it to sleep again. */
async function fallIntoPieces(sandbox: Sandbox): Promise<string> {
  await sandbox.connect()
  const { snapshotId } = await sandbox.createSnapshot()
  await sandbox.commands.run('python3 scatter.py')
  const sum = (await sandbox.commands.run('sha256sum < /dev/shm/much')).stdout
  await sandbox.pause()
  await Sandbox.deleteSnapshot(snapshotId)
  return sum
}

test('memory that fell into pieces beside snapshots lies in few again after a rest, and is the same', { timeout: 240_000 }, async () => {
  const sandbox = await Sandbox.create({ timeoutMs: 600_000 })
  await sandbox.commands.run('head -c 256M /dev/urandom > /dev/shm/much')
  await sandbox.files.write('scatter.py', scatter)
  await sandbox.pause()
  const pieces = async (): Promise<number> => (await saved(sandbox.sandboxId))?.extents ?? 0
  let sum = ''
  for (let rounds = 0; rounds < 10 && (await pieces()) < 2000; rounds += 1) sum = await fallIntoPieces(sandbox)
  expect(await pieces()).toBeGreaterThan(2000)
  await expect.poll(pieces, { timeout: 60_000 }).toBeLessThan(500)
  await sandbox.connect()
  expect((await sandbox.commands.run('sha256sum < /dev/shm/much')).stdout).toBe(sum)
  await sandbox.kill()
})
