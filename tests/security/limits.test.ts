import { type TestWorld, bootWorld } from '@torpor/testkit'
import { Sandbox } from 'e2b'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const forkBomb = `python3 -c "
import os, time
while True:
    try:
        if os.fork() == 0: time.sleep(60); os._exit(0)
    except OSError: pass"`

describe('what a hostile sandbox takes is its own', () => {
  let world: TestWorld
  let neighbour: Sandbox
  beforeAll(async () => {
    world = await bootWorld({ TORPOR_MEMORY_MIB: '256', TORPOR_LOG_LEVEL: 'error' })
    Object.assign(process.env, world.env)
    neighbour = await Sandbox.create()
  })
  afterAll(async () => {
    await world?.close()
  })

  test('a sandbox that forks without end is slowed down by nobody but itself: it and its agent stay reachable', async () => {
    const hostile = await Sandbox.create()
    await expect(hostile.commands.run(forkBomb, { timeoutMs: 15_000 })).rejects.toThrow(/timed out|killed/)
    expect((await hostile.commands.run('echo reachable')).stdout).toBe('reachable\n')
    expect((await neighbour.commands.run('echo unharmed')).stdout).toBe('unharmed\n')
    await hostile.kill()
  })

  test('a sandbox sees its limits: memory, processors, disk', async () => {
    const { stdout } = await neighbour.commands.run("nproc; free -m | awk '/Mem:/ {print $2}'; df -BM --output=size / | tail -1")
    const [processors, memory, disk] = stdout.split('\n').map((line) => Number.parseInt(line, 10))
    expect(processors).toBe(2)
    expect(memory).toBeLessThan(512)
    expect(disk).toBe(20_480)
  })
})
