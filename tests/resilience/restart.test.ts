import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'

import { type Installation, imagesOf, installTorpor } from '@torpor/testkit'
import { Sandbox } from 'e2b'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const counter = `
import time
n = 0
while True:
    n += 1
    open('/dev/shm/count.new', 'w').write(str(n))
    __import__('os').rename('/dev/shm/count.new', '/dev/shm/count')
    time.sleep(0.01)
`

const count = async (sandbox: Sandbox): Promise<number> => Number((await sandbox.commands.run('cat /dev/shm/count')).stdout)

/** A sandbox with a process that counts in memory. */
async function counting(): Promise<Sandbox> {
  const sandbox = await Sandbox.create({ timeoutMs: 600_000 })
  await sandbox.files.write('counter.py', counter)
  await sandbox.commands.run('nohup python3 counter.py >/dev/null 2>&1 &')
  await expect.poll(() => count(sandbox).catch(() => 0), { timeout: 20_000 }).toBeGreaterThan(0)
  return sandbox
}

describe('kill -9 of any process of ours loses no sandbox and leaks nothing', () => {
  let torpor: Installation
  beforeAll(async () => {
    // Without spares every process that carries a sandbox is one of these tests'.
    torpor = await installTorpor({ TORPOR_WARM_POOL: '0' })
    await torpor.up()
    Object.assign(process.env, await torpor.env())
  })
  afterAll(async () => {
    await torpor?.remove()
  })

  test.each([
    { how: 'kill -9 of the server', end: async () => torpor.kill() },
    { how: 'down', end: () => torpor.down() },
  ])('$how, then up: running ones are found again, paused ones resume', async ({ end }) => {
    const [running, frozen] = await Promise.all([counting(), counting()])
    await frozen.pause()
    const before = await count(running)
    await end()
    await torpor.up()
    expect(await count(running)).toBeGreaterThan(before)
    expect((await frozen.getInfo()).state).toBe('paused')
    await frozen.connect()
    const resumed = await count(frozen)
    await expect.poll(() => count(frozen)).toBeGreaterThan(resumed)
    await Promise.all([running.kill(), frozen.kill()])
  })

  test('kill -9 of the engine host: sandboxes go on and can be paused, resumed and killed', async () => {
    const sandbox = await counting()
    process.kill(torpor.engineHostPid(), 'SIGKILL')
    const before = await count(sandbox)
    await sandbox.pause()
    await sandbox.connect()
    expect(await count(sandbox)).toBeGreaterThan(before)
    await sandbox.kill()
  })

  test('a sandbox whose process was killed is reported gone', async () => {
    const sandbox = await counting()
    process.kill(torpor.sandboxPids()[0] ?? -1, 'SIGKILL')
    await expect.poll(() => sandbox.isRunning(), { timeout: 20_000 }).toBe(false)
    await expect.poll(async () => await fetchStatus(sandbox.sandboxId), { timeout: 20_000 }).toBe(404)
  })

  const fetchStatus = async (id: string): Promise<number> =>
    (await fetch(`${process.env['E2B_API_URL']}/sandboxes/${id}`, { headers: { 'x-api-key': process.env['E2B_API_KEY'] ?? '' } })).status

  test('afterwards nothing is left: no process, namespace, cgroup, directory or image', async () => {
    await expect.poll(() => torpor.sandboxPids(), { timeout: 20_000 }).toEqual([])
    const owners = (): string[] => readdirSync(imagesOf(torpor.dataDirectory))
    await expect.poll(owners, { timeout: 20_000 }).toHaveLength(torpor.templateCount())
    await torpor.down()
    expect(readdirSync(path.join(torpor.dataDirectory, 'executions'))).toEqual([])
    expect(readFileSync('/proc/mounts', 'utf8')).not.toContain(torpor.dataDirectory)
    expect(execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' })).not.toMatch(torpor.namespacePattern())
  })
})
