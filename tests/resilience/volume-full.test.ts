import { type TestWorld, bootWorld } from '@torpor/testkit'
import { RateLimitError, Sandbox } from 'e2b'
import { afterAll, beforeAll, expect, test } from 'vitest'

let world: TestWorld
beforeAll(async () => {
  const settings = { TORPOR_VOLUME_SIZE: '4096', TORPOR_MEMORY_MIB: '512', TORPOR_DISK_RESERVE_MIB: '128' }
  world = await bootWorld({ ...settings, TORPOR_WARM_POOL: '0', TORPOR_LOG_LEVEL: 'error' })
  Object.assign(process.env, world.env)
})
afterAll(() => world?.close())

/** Takes memory that it has not had before; its sum. */
const takeMemory = (mib: number): string => `head -c ${mib}M /dev/urandom > /dev/shm/taken && sync && sha256sum < /dev/shm/taken`
const sum = 'sha256sum < /dev/shm/taken'
const fillDisk = (name: string): string => `dd if=/dev/urandom of=/root/${name} bs=1M 2>&1 | grep -o "No space left on device"`

test('a full volume kills no sandbox: who fills it hears that the disk is full, all others have what they were promised', async () => {
  const [filler, other] = await Promise.all([Sandbox.create(), Sandbox.create()])
  const kept = (await filler.commands.run(takeMemory(100))).stdout
  const filled = await filler.commands.run(fillDisk('filler'), { timeoutMs: 300_000, user: 'root' })
  expect(filled.stdout).toContain('No space left on device')
  // What others are promised is there: memory they have not had, and the assured part of their disk.
  const taken = (await other.commands.run(takeMemory(250), { timeoutMs: 120_000 })).stdout
  await other.commands.run('head -c 64M /dev/urandom > /root/assured', { user: 'root' })
  expect((await filler.commands.run(sum)).stdout).toBe(kept)
  // A wake is promised all anew: there is room for that when some was made.
  await other.pause()
  await expect(other.connect()).rejects.toBeInstanceOf(RateLimitError)
  await filler.commands.run('rm /root/filler', { user: 'root' })
  await expect.poll(() => other.connect().then(() => 'awake', String), { timeout: 20_000 }).toBe('awake')
  expect((await other.commands.run(sum)).stdout).toBe(taken)
  await Promise.all([filler.kill(), other.kill()])
})

test('a sandbox with much on its disk is woken only when all of that could be copied', async () => {
  const sandbox = await Sandbox.create()
  await sandbox.commands.run('head -c 1200M /dev/urandom > /root/much', { user: 'root', timeoutMs: 120_000 })
  await sandbox.pause()
  const others = [await Sandbox.create()]
  await expect(sandbox.connect()).rejects.toThrow(/Not enough room on the server's volume/)
  await Promise.all(others.map((other) => other.kill()))
  await sandbox.connect()
  // All of it is copied now, and there is room for that.
  await sandbox.commands.run('dd if=/dev/urandom of=/root/much bs=1M count=1200 conv=notrunc 2>/dev/null', {
    user: 'root',
    timeoutMs: 120_000,
  })
  await sandbox.kill()
})

test('what does not fit on the volume beside what is promised is refused with the figures, and fits when another sleeps', async () => {
  const made: Sandbox[] = []
  const refused = await (async () => {
    for (;;) made.push(await Sandbox.create())
  })().catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(RateLimitError)
  expect(String(refused)).toMatch(/may need 896 MiB, \d running sandboxes are promised \d+ MiB of the \d+ MiB that are free/)
  expect(made.length).toBeGreaterThan(1)
  const [first] = made
  await first?.pause()
  made.push(await Sandbox.create())
  await expect(first?.connect()).rejects.toBeInstanceOf(RateLimitError)
  await made.pop()?.kill()
  await first?.connect()
  await Promise.all(made.map((sandbox) => sandbox.kill()))
})
