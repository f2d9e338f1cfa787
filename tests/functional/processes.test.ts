import { type TestWorld, bootWorld } from '@torpor/testkit'
import { Sandbox } from 'e2b'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { Seen, withBothSdks } from './both-sdks.ts'

withBothSdks('processes', {}, (told) => {
  test('stdin is sent and read', async () => {
    const { sandbox } = told()
    const handle = await sandbox.commands.run('read a; read b; echo "$b $a"', { background: true, stdin: true })
    await sandbox.commands.sendStdin(handle.pid, 'first\nsec')
    await sandbox.commands.sendStdin(handle.pid, 'ond\n')
    expect((await handle.wait()).stdout).toBe('second first\n')
  })

  test('the end of stdin reaches the process', async () => {
    const { sandbox } = told()
    const handle = await sandbox.commands.run('cat; echo end', { background: true, stdin: true })
    await sandbox.commands.sendStdin(handle.pid, 'line\n')
    await sandbox.commands.closeStdin(handle.pid)
    expect((await handle.wait()).stdout).toBe('line\nend\n')
  })

  test('an exit code, both outputs and signals are told', async () => {
    const { sandbox } = told()
    await expect(sandbox.commands.run('echo out; echo err >&2; exit 7')).rejects.toMatchObject({
      exitCode: 7,
      stdout: 'out\n',
      stderr: 'err\n',
    })
    await expect(sandbox.commands.run('kill -9 $$')).rejects.toMatchObject({ exitCode: -1 })
    await expect(sandbox.commands.run('true', { cwd: '/nonexistent' })).rejects.toThrow(/cwd '\/nonexistent' does not exist/)
    await expect(sandbox.commands.run('true', { user: 'ghost' })).rejects.toThrow(/ghost/)
  })

  test('a timeout ends the command and its children', async () => {
    const { sandbox } = told()
    await expect(sandbox.commands.run('sleep 12345 & sleep 12345', { timeoutMs: 1000 })).rejects.toThrow(/timed? ?out|deadline/i)
    await expect(sandbox.commands.run('pgrep -f "sleep 1234[5]"')).rejects.toMatchObject({ exitCode: 1 })
  })

  test('kill ends the command and its children', async () => {
    const { sandbox } = told()
    const ready = new Seen()
    const handle = await sandbox.commands.run('set -m; sleep 54321 & echo ready; wait', {
      background: true,
      onStdout: (data) => ready.add(data),
    })
    await ready.for('ready')
    expect(await sandbox.commands.kill(handle.pid)).toBe(true)
    await expect(handle.wait()).rejects.toMatchObject({ exitCode: -1 })
    await expect(sandbox.commands.run('pgrep -f "sleep 5432[1]"')).rejects.toMatchObject({ exitCode: 1 })
    expect(await sandbox.commands.kill(handle.pid)).toBe(false)
  })

  test('a process outlives its client, and a late one sees what comes from then on, and the end', async () => {
    const { sandbox } = told()
    const early = new Seen()
    const handle = await sandbox.commands.run('echo early; read x; echo "late $x"; exit 3', {
      background: true,
      stdin: true,
      onStdout: (data) => early.add(data),
    })
    await early.for('early')
    await handle.disconnect()
    expect((await sandbox.commands.list()).map(({ pid }) => pid)).toContain(handle.pid)
    const again = await sandbox.commands.connect(handle.pid)
    await sandbox.commands.sendStdin(handle.pid, 'input\n')
    await expect(again.wait()).rejects.toMatchObject({ stdout: 'late input\n', exitCode: 3 })
    const ended = await sandbox.commands.connect(handle.pid)
    await expect(ended.wait()).rejects.toMatchObject({ stdout: '', exitCode: 3 })
  })

  test('what was missed is sent to a client that asks for it', async () => {
    const { world, sandbox } = told()
    const { pid } = await sandbox.commands.run('echo missed', { background: true })
    const address = world.addressOf(sandbox.sandboxId)
    const message = JSON.stringify({ process: { pid } })
    const answer = await fetch(`http://${address}:49983/process.Process/Connect`, {
      method: 'POST',
      headers: {
        'content-type': 'application/connect+json',
        'x-access-token': world.tokenOf(sandbox.sandboxId),
        'torpor-output-offset': 'all',
      },
      body: Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), Buffer.from(message)]),
    })
    expect(answer.headers.get('torpor-output-offset')).toBe('0')
    expect(answer.headers.get('torpor-output-dropped')).toBe('0')
    expect(await answer.text()).toContain(Buffer.from('missed\n').toString('base64'))
  })

  test('20 MB of output arrive whole and in order', async () => {
    const { sandbox } = told()
    let next = 0
    let pending = ''
    const check = (data: string): void => {
      const lines = (pending + data).split('\n')
      pending = lines.pop() ?? ''
      for (const line of lines) {
        if (Number(line) !== next) throw new Error(`line ${next} is ${line}`)
        next += 1
      }
    }
    await sandbox.commands.run(`seq -f '%099.0f' 0 199999`, { onStdout: check, timeoutMs: 100_000 })
    expect(next).toBe(200_000)
  })

  test('50 commands at once keep apart', async () => {
    const { sandbox } = told()
    const all = Array.from({ length: 50 }, (_, i) => sandbox.commands.run(`for j in 1 2 3; do echo ${i}-$j; done`))
    const results = await Promise.all(all)
    expect(results.map(({ stdout }) => stdout)).toEqual(Array.from({ length: 50 }, (_, i) => `${i}-1\n${i}-2\n${i}-3\n`))
  })
})

describe.each([
  { tier: 'frozen', warmMemory: '2048' },
  { tier: 'image', warmMemory: '0' },
])('R15 with a pause to the $tier', ({ warmMemory }) => {
  let world: TestWorld
  beforeAll(async () => {
    world = await bootWorld({ TORPOR_WARM_MEMORY: warmMemory })
    Object.assign(process.env, world.env)
  })
  afterAll(async () => {
    await world?.close()
  })

  test('a process that is writing to a client when it falls asleep goes on writing without it', async () => {
    const sandbox = await Sandbox.create()
    const writer = `
import os
line, count = b"x" * 1023 + b"\\n", 0
while True:
    os.write(1, line)
    count += 1
    if count % 100 == 0:
        with open("/tmp/count.new", "w") as file: file.write(str(count))
        os.rename("/tmp/count.new", "/tmp/count")`
    await sandbox.files.write('writer.py', writer)
    const seen = new Seen()
    const handle = await sandbox.commands.run('python3 writer.py', { background: true, timeoutMs: 0, onStdout: (data) => seen.add(data) })
    await seen.for('xxx')
    const cut = handle.wait().catch((error: unknown) => error)
    await sandbox.pause()
    expect(await cut).toBeInstanceOf(Error)
    const awake = await Sandbox.connect(sandbox.sandboxId)
    const count = async (): Promise<number> => Number(await awake.files.read('/tmp/count'))
    const before = await count()
    await expect.poll(count, { timeout: 20_000 }).toBeGreaterThan(before + 2000)
  })
})
