import type { CommandHandle } from 'e2b'
import { expect, test } from 'vitest'

import { type AnySandbox, Seen, withBothSdks } from './both-sdks.ts'

interface Terminal {
  readonly handle: CommandHandle
  readonly screen: Seen
  readonly type: (text: string) => Promise<void>
}

async function terminalOf(sandbox: AnySandbox, size = { cols: 80, rows: 24 }): Promise<Terminal> {
  const screen = new Seen()
  const handle = await sandbox.pty.create({ ...size, timeoutMs: 0, onData: (data) => screen.add(Buffer.from(data).toString()) })
  return { handle, screen, type: (text) => sandbox.pty.sendInput(handle.pid, Buffer.from(text)) }
}

withBothSdks('terminals', {}, (told) => {
  test('a shell answers, knows its size and its kind, and ends', async () => {
    const { sandbox } = told()
    const { handle, screen, type } = await terminalOf(sandbox, { cols: 90, rows: 30 })
    await type('echo "[$TERM $(stty size) $(whoami) $(tty)]"\n')
    await screen.for('[xterm-256color 30 90 user /dev/pts/')
    await sandbox.pty.resize(handle.pid, { cols: 120, rows: 40 })
    await type('echo "<$(stty size)>"\n')
    await screen.for('<40 120>')
    await type('exit 0\n')
    expect((await handle.wait()).exitCode).toBe(0)
  })

  test('job control: interrupt, stop, background and foreground', async () => {
    const { sandbox } = told()
    const { handle, screen, type } = await terminalOf(sandbox)
    await type('PS1=; stty -echo; echo rea"dy"\n')
    await screen.for('ready')
    await type('sh -c "trap \'echo inter\\"\\"rupted; exit\' INT; echo wait\\"\\"ing; while :; do sleep 0.1; done"\n')
    await screen.for('waiting')
    await type('\u0003')
    await screen.for('interrupted')
    await type('sh -c "echo stop\\"\\"pable; sleep 1000"\n')
    await screen.for('stoppable')
    await type('\u001A')
    await screen.for('Stopped')
    await type('bg; jobs; echo back"ground"\n')
    await screen.for('background')
    await type('kill %1; wait; echo all"done"\n')
    await screen.for('alldone')
    expect(await sandbox.pty.kill(handle.pid)).toBe(true)
    await expect(handle.wait()).rejects.toMatchObject({ exitCode: -1 })
    expect(await sandbox.pty.kill(handle.pid)).toBe(false)
  })

  test('full-screen programs and a Python prompt run', async () => {
    const { sandbox } = told()
    const { handle, screen, type } = await terminalOf(sandbox)
    await type('python3\n')
    await screen.for('>>> ')
    await type('print(6 * 7000)\n')
    await screen.for('42000')
    await type('exit()\n')
    await type('top -d 0.2\n')
    await screen.for('load average')
    await type('q')
    await type('echo o"ver"\n')
    await screen.for('over')
    expect(await handle.kill()).toBe(true)
  })

  test('vim edits a file', async () => {
    const { sandbox } = told()
    await sandbox.files.write('edited.txt', 'first\nsecond\n')
    const { screen, type } = await terminalOf(sandbox)
    await type('vim edited.txt; echo le"ft"\n')
    await screen.for('second')
    await type('Go')
    await type('typed in')
    await type('\u001B:wq\r')
    await screen.for('left')
    expect(await sandbox.files.read('edited.txt')).toBe('first\nsecond\ntyped in\n')
    await type('exit\n')
  })

  test('a terminal is connected to again', async () => {
    const { sandbox } = told()
    const { handle, type } = await terminalOf(sandbox)
    await type('X=kept\n')
    await handle.disconnect()
    const screen = new Seen()
    const again = await sandbox.pty.connect(handle.pid, { timeoutMs: 0, onData: (data) => screen.add(Buffer.from(data).toString()) })
    await type('echo "<$X>"; exit\n')
    await screen.for('<kept>')
    expect((await again.wait()).exitCode).toBe(0)
  })

  test('a busy terminal does not hold commands up', async () => {
    const { sandbox } = told()
    const { handle, screen, type } = await terminalOf(sandbox)
    const started = performance.now()
    await type('head -c 30000000 /dev/zero | tr "\\0" x; echo do"ne"\n')
    await screen.for('xxxxx')
    const commands = performance.now()
    for (let i = 0; i < 5; i += 1) expect((await sandbox.commands.run('echo fine')).stdout).toBe('fine\n')
    expect(performance.now() - commands).toBeLessThan(10_000)
    await screen.for('done')
    expect(30_000_000 / (performance.now() - started)).toBeGreaterThan(2000) // bytes per millisecond: 2 MB/s
    await handle.kill()
  })
})
