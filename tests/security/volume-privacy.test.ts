import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'

import { type TestWorld, bootWorld } from '@torpor/testkit'
import { Sandbox } from 'e2b'
import { afterAll, beforeAll, expect, test } from 'vitest'

let world: TestWorld
beforeAll(async () => {
  world = await bootWorld({ TORPOR_VOLUME_SIZE: '4096', TORPOR_WARM_POOL: '0' })
  Object.assign(process.env, world.env)
})
afterAll(() => world?.close())

const volumeFile = (): string => path.join(world.dataDirectory, 'volume.img')
const mountPoint = (): string => path.join(world.dataDirectory, 'volume')

/** Whether the bytes stand somewhere on the disk below the volume. */
async function isOnDisk(secret: Buffer): Promise<boolean> {
  // What is freed is discarded when the file system writes its journal.
  execFileSync('sync', ['-f', mountPoint()])
  let before = Buffer.alloc(0)
  for await (const chunk of createReadStream(volumeFile(), { highWaterMark: 16 * 1024 * 1024 })) {
    const seen = Buffer.concat([before, chunk])
    if (seen.includes(secret)) return true
    before = seen.subarray(-secret.length)
  }
  return false
}

test('what a killed sandbox had in memory and in files cannot be found on the volume any more', { timeout: 180_000 }, async () => {
  const sandbox = await Sandbox.create()
  const secret = randomBytes(32)
  const hold = `import time\nsecret = bytes.fromhex('${secret.toString('hex')}') * 1000\nopen('/dev/shm/held', 'w').write('yes')\ntime.sleep(1e6)`
  await sandbox.files.write('hold.py', hold)
  await sandbox.commands.run('nohup python3 hold.py >/dev/null 2>&1 & until [ -e /dev/shm/held ]; do sleep 0.1; done')
  await sandbox.commands.run(
    `printf ${secret.toString('hex')} | xxd -r -p > kept || python3 -c "open('kept','wb').write(bytes.fromhex('${secret.toString('hex')}')*1000)"`,
  )
  await sandbox.pause()
  expect(await isOnDisk(secret)).toBe(true)
  await sandbox.kill()
  await expect.poll(() => isOnDisk(secret), { timeout: 120_000, interval: 1000 }).toBe(false)
})

test('only root can look at the volume, and memory has no name on it', async () => {
  const sandbox = await Sandbox.create()
  const permissions = async (place: string): Promise<number> => (await stat(place)).mode & 0o777
  expect(await permissions(volumeFile())).toBe(0o600)
  expect(await permissions(mountPoint())).toBe(0o700)
  expect(await readdir(path.join(mountPoint(), 'memory'))).toEqual([])
  await sandbox.pause()
  const images = path.join(mountPoint(), 'images', sandbox.sandboxId)
  expect(await permissions(images)).toBe(0o700)
  await sandbox.kill()
})
