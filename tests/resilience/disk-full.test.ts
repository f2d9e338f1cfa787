import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { type TestWorld, bootWorld } from '@torpor/testkit'
import { Sandbox } from 'e2b'
import { afterAll, beforeAll, expect, test } from 'vitest'

let world: TestWorld
let volume: string

beforeAll(async () => {
  volume = mkdtempSync(path.join(tmpdir(), 'torpor-volume-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=400m', 'tmpfs', volume])
  world = await bootWorld({ TORPOR_LOG_LEVEL: 'error', TORPOR_WARM_POOL: '0' }, { parent: volume })
  Object.assign(process.env, world.env)
})
afterAll(async () => {
  await world?.close()
  execFileSync('umount', [volume])
  rmSync(volume, { recursive: true })
})

test('a full disk of the server during a pause: the sandbox goes on, the error says so, and a pause works once there is room', async () => {
  const sandbox = await Sandbox.create()
  const fill = 'dd if=/dev/urandom of=/dev/shm/fill bs=1M count=300 2>/dev/null; sha256sum < /dev/shm/fill'
  const before = (await sandbox.commands.run(fill)).stdout
  await expect(sandbox.pause()).rejects.toThrow(/507.*disk is full/)
  expect((await sandbox.getInfo()).state).toBe('running')
  expect((await sandbox.commands.run('sha256sum < /dev/shm/fill')).stdout).toBe(before)
  await sandbox.commands.run('rm /dev/shm/fill; echo kept > /dev/shm/small')
  execFileSync('mount', ['-o', 'remount,size=1500m', volume])
  await sandbox.pause()
  await sandbox.connect()
  expect((await sandbox.commands.run('cat /dev/shm/small')).stdout).toBe('kept\n')
})
