import { type ChildProcess, spawn } from 'node:child_process'
import path from 'node:path'
import { text } from 'node:stream/consumers'

import { type TestWorld, bootWorld, sourceDirectory } from '@torpor/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

import { Seen } from './both-sdks.ts'

const program = path.join(sourceDirectory, 'node_modules', '.bin', 'e2b')

interface Result {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

describe('@e2b/cli 2.19 as it comes from npm', () => {
  let world: TestWorld
  beforeAll(async () => {
    world = await bootWorld()
  })
  afterAll(async () => {
    await world?.close()
  })

  const environment = (): NodeJS.ProcessEnv => ({ ...process.env, ...world.env, FORCE_COLOR: '0', NO_COLOR: '1' })

  /** One call of `e2b sandbox …`, with what it is given on its standard input. */
  async function cli(args: readonly string[], input = ''): Promise<Result> {
    const child = spawn(program, ['sandbox', ...args], { env: environment(), timeout: 60_000 })
    child.stdin.end(input)
    const exit = new Promise<number | null>((resolve) => void child.once('close', resolve))
    const [stdout, stderr, code] = await Promise.all([text(child.stdout), text(child.stderr), exit])
    return { code, stdout, stderr }
  }

  async function create(): Promise<string> {
    const { stdout } = await cli(['create', '--detach', '--timeout', '600'])
    return z
      .string()
      .regex(/^[a-z0-9]+$/)
      .parse(stdout.trim())
  }

  const told = async <T>(schema: z.ZodType<T>, ...args: string[]): Promise<T> =>
    schema.parse(JSON.parse((await cli([...args, '--format', 'json'])).stdout))

  /** The same on a terminal of 100 columns and 30 rows. */
  function terminal(args: string): { child: ChildProcess; screen: Seen; type: (input: string) => void; code: Promise<unknown> } {
    const command = `stty cols 100 rows 30; exec ${program} sandbox ${args}`
    const child = spawn('script', ['-qec', command, '/dev/null'], { env: environment(), timeout: 60_000 })
    const screen = new Seen()
    child.stdout.on('data', (data: Buffer) => screen.add(data.toString()))
    const code = new Promise((resolve) => void child.once('close', resolve))
    return { child, screen, type: (input) => void child.stdin.write(input), code }
  }

  test('create, list, info, pause, resume and kill', async () => {
    const id = await create()
    const states = z.array(z.object({ sandboxId: z.string(), state: z.string() }))
    expect(await told(states, 'list')).toContainEqual({ sandboxId: id, state: 'running' })
    expect((await cli(['list'])).stdout).toContain(id)
    expect(await told(z.looseObject({}), 'info', id)).toMatchObject({ sandboxId: id, name: 'base', cpuCount: 2, memoryMB: 1024 })
    expect((await cli(['pause', id])).code).toBe(0)
    expect(await told(states, 'list', '--state', 'paused')).toContainEqual({ sandboxId: id, state: 'paused' })
    expect((await cli(['resume', id])).code).toBe(0)
    expect((await cli(['exec', id, 'echo', 'back'])).stdout).toBe('back\n')
    expect((await cli(['kill', id])).stdout).toContain(`${id} has been killed`)
    expect(await told(states, 'list')).not.toContainEqual(expect.objectContaining({ sandboxId: id }))
    expect(await cli(['info', id])).toMatchObject({ code: 1, stderr: expect.stringContaining("wasn't found") })
  })

  test('exec: outputs, exit code, user, directory, environment, piped input, background', async () => {
    const id = await create()
    const failing = await cli(['exec', id, '--', 'sh', '-c', 'echo out; echo err >&2; exit 7'])
    expect(failing).toMatchObject({ code: 7, stdout: 'out\n', stderr: expect.stringMatching(/^err\n/) })
    const told = await cli(['exec', '-u', 'root', '-c', '/tmp', '-e', 'A=b', id, '--', 'sh', '-c', 'echo $(whoami) $(pwd) $A'])
    expect(told).toMatchObject({ code: 0, stdout: 'root /tmp b\n' })
    expect((await cli(['exec', id, 'wc', '-c'], 'x'.repeat(1_000_000))).stdout).toBe('1000000\n')
    const { code, stderr } = await cli(['exec', '--background', id, 'sleep', '600'])
    expect([code, (await cli(['exec', id, 'pgrep', '-fx', 'sleep 600'])).stdout]).toEqual([0, stderr])
    await cli(['kill', id])
  })

  test('logs, metrics and snapshots', async () => {
    const id = await create()
    await cli(['exec', id, 'echo', 'noted'])
    expect((await cli(['logs', id])).stdout).toContain('sandbox created')
    expect((await cli(['logs', '--format', 'json', id])).stdout).toContain('echo noted')
    await expect.poll(async () => (await cli(['metrics', id])).stdout, { timeout: 30_000 }).toMatch(/Memory: +\d+ \/ 1024 +MiB/)
    const { stdout } = await cli(['snapshot', 'create', id])
    const snapshot = /snapshot (\S+) from/.exec(stdout)?.[1] ?? 'none'
    expect((await cli(['snapshot', 'list'])).stdout).toContain(snapshot)
    expect((await cli(['snapshot', 'delete', snapshot])).code).toBe(0)
    expect((await cli(['snapshot', 'list'])).stdout).not.toContain(snapshot)
    await cli(['kill', '--all'])
    expect((await cli(['list'])).stdout).toContain('No sandboxes found')
  })

  test('connect and create open a terminal', async () => {
    const id = await create()
    const connected = terminal(`connect ${id}`)
    connected.type('echo "<$(stty size)>"\n')
    await connected.screen.for('<30 100>')
    connected.type('exit\n')
    expect(await connected.code).toBe(0)
    const created = terminal('create --cwd /tmp --env X=y')
    created.type('echo "<$X $(pwd)>"\n')
    await created.screen.for('<y /tmp>')
    created.type('exit\n')
    await created.screen.for('Closing terminal connection')
    expect(await created.code).toBe(0)
    await cli(['kill', id])
  })
})
