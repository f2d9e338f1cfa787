import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { type Installation, installTorpor, sourceDirectory } from '@torpor/testkit'
import { Sandbox } from 'e2b'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

let torpor: Installation
let server: Record<string, string>
let directory: string

beforeAll(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'torpor-cli-'))
  torpor = await installTorpor()
  await torpor.up()
  server = await torpor.env()
})
afterAll(async () => {
  await torpor?.remove()
  rmSync(directory, { recursive: true, force: true })
})

interface Ending {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The real program as a child process, on the server of this machine unless `env` names one. */
function run(
  program: string,
  args: readonly string[],
  { env = {}, input }: { env?: Record<string, string | undefined>; input?: string } = {},
): Promise<Ending> {
  const places = { PATH: `${sourceDirectory}:${process.env['PATH'] ?? ''}`, URL: server['E2B_API_URL'] }
  const child = spawn(program, args, { cwd: directory, env: { ...torpor.variables, ...places, ...env }, timeout: 280_000 })
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()))
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()))
  child.stdin.on('error', () => undefined).end(input ?? '')
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, stdout, stderr }))
  })
}

const cli = (...args: string[]): Promise<Ending> => run('torpor', args)
const remote = (key: string): Record<string, string | undefined> => ({
  E2B_API_URL: server['E2B_API_URL'],
  E2B_API_KEY: key,
  TORPOR_DATA_DIR: '/nonexistent',
})

const guide = readFileSync(path.join(sourceDirectory, 'docs/cli.md'), 'utf8')
const blocks = (kind: string): string[] =>
  [...guide.matchAll(new RegExp(`^\`\`\`${kind}\\n(.*?)^\`\`\``, 'gms'))].map(([, code]) => code ?? '')

describe('docs/cli.md', () => {
  test('every command of it works as it stands', async () => {
    const script = blocks('sh').join('\n')
    expect(script.split('\n').length).toBeGreaterThan(30)
    const { code, stdout, stderr } = await run('bash', ['-euo', 'pipefail', '-c', script])
    expect({ code, stderr }).toEqual({ code: 0, stderr: expect.not.stringContaining('torpor:') })
    expect(stdout).toContain('/home/user\nLINUX\n42\n')
    expect(stdout).toMatch(/^https:\/\/3000-\w+\.sbx\.localhost/m)
    expect(readFileSync(path.join(directory, 'copy.log'), 'utf8')).toContain('event=killed')
    expect(readFileSync(path.join(directory, 'completion.bash'), 'utf8')).toContain('complete')
    expect((await cli('sandbox', 'list')).stdout).toBe('no sandboxes\n')
  }, 300_000)

  test('the terminal is one of the sandbox, and ends with the exit code of its shell', async () => {
    const id = (await cli('sandbox', 'create')).stdout.trim()
    // script(1) is the terminal around it; input that comes before the shell is ready waits in the terminal.
    const [command = ''] = blocks('sh terminal')
    const { code, stdout } = await run('script', ['-qec', command.trim(), '/dev/null'], {
      env: { ID: id },
      input: 'echo $((6 * 7))-$(id -un)\nexit 5\n',
    })
    expect({ code, stdout }).toEqual({ code: 5, stdout: expect.stringContaining('42-user') })
    await cli('sandbox', 'kill', id)
  })
})

describe('exit codes and output', () => {
  test('exec passes on output, input and the exit code of the command', async () => {
    const id = (await cli('sandbox', 'create')).stdout.trim()
    expect(await cli('sandbox', 'exec', id, 'echo out; echo err >&2; exit 7')).toEqual({ code: 7, stdout: 'out\n', stderr: 'err\n' })
    expect(await cli('sandbox', 'exec', id, 'printf', '%s|', 'a b', '$HOME', "it's")).toMatchObject({ code: 0, stdout: "a b|$HOME|it's|" })
    expect(await cli('sandbox', 'exec', '-u', 'root', '-w', '/tmp', '-e', 'X=1', id, 'echo $(id -un) $PWD $X')).toMatchObject({
      stdout: 'root /tmp 1\n',
    })
    expect(await run('torpor', ['sandbox', 'exec', '-i', id, 'wc', '-c'], { input: 'x'.repeat(300_000) })).toMatchObject({
      stdout: '300000\n',
    })
    expect((await cli('sandbox', 'exec', id, 'kill -9 $$')).code).toBe(137)
    expect((await cli('sandbox', 'exec', '--json', id, 'echo hi')).stdout).toBe('{"stdout":"hi\\n"}\n{"exitCode":0}\n')
    await cli('sandbox', 'kill', id)
  })

  test('Ctrl-C ends the command inside as well', async () => {
    const id = (await cli('sandbox', 'create')).stdout.trim()
    const child = spawn('torpor', ['sandbox', 'exec', id, 'echo begun; sleep 1000'], {
      env: { ...torpor.variables, PATH: `${sourceDirectory}:${process.env['PATH'] ?? ''}` },
    })
    const ended = new Promise((resolve) => void child.once('close', resolve))
    await new Promise((resolve) => void child.stdout.once('data', resolve))
    child.kill('SIGINT')
    expect(await ended).toBe(130)
    expect((await cli('sandbox', 'exec', id, 'pgrep -c sleep')).stdout).toBe('0\n')
    await cli('sandbox', 'kill', id)
  })

  test('what is not there, not allowed or not asked rightly has its own code and one clear line', async () => {
    const missing = await cli('sandbox', 'info', 'nosuch')
    expect(missing).toEqual({ code: 4, stdout: '', stderr: expect.stringMatching(/^torpor: .*nosuch.*\n$/) })
    expect((await cli('sandbox', 'kill', 'nosuch')).code).toBe(4)
    expect((await cli('sandbox', 'create', 'nosuch')).code).toBe(4)
    expect((await cli('template', 'get', 'nosuch')).code).toBe(4)
    expect((await cli('sandbox', 'create', '--timeout', 'soon')).code).toBe(2)
    expect((await cli('sandbox', 'frobnicate')).code).toBe(2)
    expect((await run('torpor', ['sandbox', 'list'], { env: remote('e2b_00') })).code).toBe(5)
    expect((await run('torpor', ['sandbox', 'list'], { env: { ...remote('e2b_00'), E2B_API_URL: 'http://127.0.0.1:9' } })).code).toBe(3)
    expect((await run('torpor', ['sandbox', 'list'], { env: { TORPOR_DATA_DIR: '/nonexistent' } })).code).toBe(3)
  })

  test('a Dockerfile that cannot be built is refused at its line, and one that fails says why', async () => {
    expect(await cli('template', 'build', 'mine')).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no e2b.Dockerfile') })
    const file = path.join(directory, 'Dockerfile')
    writeFileSync(file, 'FROM e2bdev/base\nSHELL ["sh"]\n')
    expect(await cli('template', 'build', 'mine')).toMatchObject({ code: 2, stderr: expect.stringContaining(`${file} line 2: SHELL`) })
    writeFileSync(file, 'FROM e2bdev/base\nRUN echo said >&2; exit 3\n')
    const failed = await run('novita-sandbox-cli', ['template', 'build', 'mine', '-c', 'true', '--ready-cmd', 'true'])
    expect(failed).toMatchObject({ code: 1, stdout: '', stderr: expect.stringMatching(/said[^]*the build failed: .*exit (code|status) 3/) })
    rmSync(file)
  })

  test('what a sandbox carries cannot steer the terminal', async () => {
    const { E2B_API_URL: apiUrl = '', E2B_SANDBOX_URL: sandboxUrl = '', E2B_API_KEY: apiKey = '' } = server
    const sandbox = await Sandbox.create({ apiUrl, sandboxUrl, apiKey, metadata: { evil: '\u001b[2J\nx' } })
    const { stdout } = await cli('sandbox', 'list')
    expect(stdout).toContain(String.raw`evil=\x1b[2J\x0ax`)
    expect(stdout).not.toContain('\u001b')
    await sandbox.kill()
  })
})

describe('API keys', () => {
  test('a key is in force at once, is noted when used, is kept as a hash, and ends at once', async () => {
    const { stdout } = await cli('keys', 'create', 'ci')
    const key = stdout.trim()
    expect(key).toMatch(/^e2b_[0-9a-f]{40}$/)
    const list = () => run('torpor', ['sandbox', 'list', '--json'], { env: remote(key) })
    expect(await list()).toMatchObject({ code: 0, stdout: '[]\n' })
    const keys: unknown = JSON.parse((await cli('keys', 'list', '--json')).stdout)
    expect(keys).toEqual([
      expect.objectContaining({ name: 'default' }),
      { name: 'ci', hint: key.slice(0, 8), createdAt: expect.any(String), lastUsedAt: expect.any(String) },
    ])
    for (const file of ['torpor.db', 'torpor.db-wal']) expect(readFileSync(path.join(torpor.dataDirectory, file)).includes(key)).toBe(false)
    expect((await cli('keys', 'create', 'ci')).code).toBe(1)
    expect(await cli('keys', 'revoke', 'ci')).toMatchObject({ code: 0 })
    expect((await list()).code).toBe(5)
    expect((await cli('keys', 'revoke', 'ci')).code).toBe(4)
    expect((await cli('keys', 'revoke', 'default')).code).toBe(1)
    expect((await cli('sandbox', 'list')).code).toBe(0)
  })

  test('keys outlive the server, can be made without it, and a key may come from a file', async () => {
    await torpor.down()
    const { stdout } = await cli('keys', 'create', 'night')
    await torpor.up()
    const file = path.join(directory, 'key')
    writeFileSync(file, stdout)
    const args = ['sandbox', 'list', '--api-url', server['E2B_API_URL'] ?? '', '--api-key-file', file]
    expect(await run('torpor', args, { env: { TORPOR_DATA_DIR: '/nonexistent' } })).toMatchObject({ code: 0 })
    await cli('keys', 'revoke', 'night')
  })
})
