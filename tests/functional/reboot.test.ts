import { type TestWorld, bootWorld } from '@torpor/testkit'
import { Sandbox } from 'e2b'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

describe.each([
  { tier: 'frozen process', settings: {} },
  { tier: 'image', settings: { TORPOR_WARM_MEMORY: '0' } },
])('a sandbox paused with its memory, connected to with onResume "reboot", from the $tier', ({ settings }) => {
  let world: TestWorld
  beforeAll(async () => {
    world = await bootWorld({ TORPOR_WARM_POOL: '0', ...settings })
    Object.assign(process.env, world.env)
  })
  afterAll(async () => {
    await world?.close()
  })

  const bootId = async (sandbox: Sandbox): Promise<string> => sandbox.files.read('/proc/sys/kernel/random/boot_id')

  test('boots afresh: its files are there, its processes and its tmpfs are not; and it sleeps with its memory again', async () => {
    const sandbox = await Sandbox.create({ envs: { WHO: 'me' } })
    await sandbox.files.write('kept.txt', 'kept')
    await sandbox.files.write('/dev/shm/lost.txt', 'lost')
    const { pid } = await sandbox.commands.run('exec -a tenant sleep 1000', { background: true, timeoutMs: 0 })
    const before = await bootId(sandbox)
    await sandbox.pause()
    await sandbox.connect({ onResume: 'reboot' })
    expect(await bootId(sandbox)).not.toBe(before)
    expect(await sandbox.files.read('kept.txt')).toBe('kept')
    expect(await sandbox.files.exists('/dev/shm/lost.txt')).toBe(false)
    expect((await sandbox.commands.list()).map((each) => each.pid)).not.toContain(pid)
    expect((await sandbox.commands.run('echo $WHO; pgrep -c tenant || true')).stdout).toBe('me\n0\n')
    const rebooted = await bootId(sandbox)
    await sandbox.pause()
    await sandbox.connect()
    expect(await bootId(sandbox)).toBe(rebooted)
    await sandbox.kill()
  })
})
