import { type TestWorld, bootWorld } from '@torpor/testkit'
import { type CommandHandle, Sandbox } from 'e2b'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'

/** Takes so much memory, as fast as it can be had, says so, and keeps it until it is told to go. */
const gulp = (mebibytes: number): string => `exec python3 -c 'x = bytearray(${mebibytes} << 20); print("fed", flush=True); input()'`

/** The same at some 200 MiB in a second. */
const nibble = (mebibytes: number): string =>
  `exec python3 -c 'import time; x = [(bytearray(4 << 20), time.sleep(0.02)) for _ in range(${mebibytes} // 4)]; print("fed", flush=True); input()'`

const outOfMemory = 'killed: the sandbox ran out of memory'

/** Why a command was ended; undefined when it ended well. */
const endOf = (handle: CommandHandle): Promise<string | undefined> =>
  handle.wait().then(
    () => undefined,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  )

const fedOf = async (handle: CommandHandle): Promise<void> => expect.poll(() => handle.stdout, { timeout: 20_000 }).toBe('fed\n')

describe('a sandbox that takes more memory than its limit', () => {
  let world: TestWorld
  let neighbour: Sandbox
  let hostile: Sandbox
  let bystander: CommandHandle
  beforeAll(async () => {
    world = await bootWorld({ TORPOR_MEMORY_MIB: '256', TORPOR_LOG_LEVEL: 'error' })
    Object.assign(process.env, world.env)
    neighbour = await Sandbox.create()
  })
  beforeEach(async () => {
    hostile = await Sandbox.create()
    bystander = await hostile.commands.run('cat', { background: true, stdin: true })
    return () => hostile.kill()
  })
  afterAll(async () => {
    await world?.close()
  })

  const background = (command: string): Promise<CommandHandle> =>
    hostile.commands.run(command, { background: true, stdin: true, timeoutMs: 0 })

  async function expectOthersUnharmed(): Promise<void> {
    await hostile.commands.sendStdin(bystander.pid, 'alive\n')
    await expect.poll(() => bystander.stdout).toMatch(/alive\n$/)
    expect((await neighbour.commands.run('echo unharmed')).stdout).toBe('unharmed\n')
  }

  test('loses the process that took it, whose end and the log say why, and nothing else', async () => {
    const modest = await background(gulp(40))
    await expect(hostile.commands.run(nibble(2048))).rejects.toMatchObject({ exitCode: -1, error: outOfMemory })
    await expectOthersUnharmed()
    await hostile.commands.sendStdin(modest.pid, '\n')
    expect(await endOf(modest)).toBeUndefined()
    const log = await world.useCases.logs(hostile.sandboxId, { order: 'asc', limit: 100, level: 'error', search: 'out of memory' })
    expect(log[0]).toMatchObject({ message: 'process killed: out of memory', fields: { command: expect.stringContaining('range(2048') } })
  })

  test('loses of many middling processes no more than it must', async () => {
    const all = await Promise.all(Array.from({ length: 12 }, () => background(nibble(48))))
    const ends = Promise.all(all.map(endOf))
    await Promise.all(all.map((handle) => Promise.race([endOf(handle), fedOf(handle)])))
    await expectOthersUnharmed()
    const told = await Promise.allSettled(all.map(({ pid }) => hostile.commands.sendStdin(pid, '\n')))
    const left = told.filter(({ status }) => status === 'fulfilled').length
    expect(new Set(await ends)).toEqual(new Set([undefined, outOfMemory]))
    expect(left).toBeGreaterThan(3)
  })

  test('survives gulps faster than anyone can look, one after the other, and answers meanwhile', async () => {
    const greedy = await background(`while :; do (${gulp(2048)}); echo again; done`)
    await expect.poll(() => greedy.stdout, { timeout: 20_000 }).toContain('again\nagain\nagain\n')
    for (let i = 0; i < 5; i += 1) {
      await hostile.files.write('kept', `content ${i}`)
      expect(await hostile.files.read('kept')).toBe(`content ${i}`)
    }
    await expectOthersUnharmed()
    await greedy.kill()
  })

  test('hears that /dev/shm is full at half of its memory, and loses nothing', async () => {
    const full = hostile.commands.run('cat /dev/zero > /dev/shm/full')
    await expect(full).rejects.toMatchObject({ stderr: expect.stringContaining('No space left') })
    expect((await hostile.commands.run('df -m --output=size /dev/shm | tail -1')).stdout.trim()).toBe('128')
    await expectOthersUnharmed()
  })

  test('with a file in memory that no process holds: it can be killed, or is ended for that reason', async () => {
    await hostile.commands.run('mkdir memory; sudo mount -t tmpfs memory memory; sudo chmod 777 memory')
    const filling = await background('cat /dev/zero > memory/full')
    expect(await endOf(filling)).toMatch(/killed|terminated|not found|No space/)
    await hostile.kill() // fills the rest of its memory, or is gone: both is its own affair
    expect(['out of memory', 'api']).toContain(world.events(hostile.sandboxId).at(-1)?.reason)
    expect((await neighbour.commands.run('echo unharmed')).stdout).toBe('unharmed\n')
  })
})
