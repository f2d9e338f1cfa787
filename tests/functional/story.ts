import { type TestWorld, bootWorld } from '@torpor/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

/** What the story uses of either SDK: the part that both families share. */
export interface SandboxLike {
  readonly sandboxId: string
  readonly commands: {
    run(command: string, options?: RunOptions & { background?: false }): Promise<CommandResultLike>
    run(command: string, options: RunOptions & { background: true }): Promise<CommandHandleLike>
    kill(pid: number): Promise<boolean>
    list(): Promise<{ pid: number }[]>
    sendStdin(pid: number, data: string): Promise<void>
  }
  readonly files: {
    write(path: string, data: string): Promise<unknown>
    read(path: string): Promise<string>
    list(path: string): Promise<{ name: string; type?: string | undefined }[]>
    exists(path: string): Promise<boolean>
    remove(path: string): Promise<void>
    rename(from: string, to: string): Promise<unknown>
    makeDir(path: string): Promise<boolean>
  }
  isRunning(): Promise<boolean>
  kill(): Promise<unknown>
  setTimeout(milliseconds: number): Promise<void>
  getInfo(): Promise<{ state?: string; startedAt: Date; endAt: Date; metadata: Record<string, string> }>
}

interface RunOptions {
  envs?: Record<string, string>
  cwd?: string
  user?: string
  timeoutMs?: number
  stdin?: boolean
  onStdout?: (data: string) => void
}

interface CommandResultLike {
  readonly stdout: string
  readonly stderr: string
  readonly exitCode: number
}

interface CommandHandleLike {
  readonly pid: number
  wait(): Promise<CommandResultLike>
  kill(): Promise<boolean>
  disconnect(): Promise<void>
}

/** One SDK, as the story drives it. */
export interface Sdk {
  readonly name: string
  create(options?: { timeoutMs?: number; metadata?: Record<string, string>; envs?: Record<string, string> }): Promise<SandboxLike>
  connect(id: string, options?: { timeoutMs?: number }): Promise<SandboxLike>
  pause(sandbox: SandboxLike): Promise<unknown>
  /** Ids by state, over all pages. */
  list(states: ('running' | 'paused')[]): Promise<string[]>
  readonly NotFoundError: abstract new (...args: never[]) => Error
}

/** Holds 256 MiB of random bytes, an open file at an offset and a running count, and tells of them on its loopback. */
const keeper = `
import hashlib, http.server, json, os, socketserver, threading, time
data = bytearray(os.urandom(256 * 1024 * 1024))
lines = open('/home/user/lines.txt')
lines.read(7)
count = 0
def tick():
    global count
    while True:
        count += 1
        time.sleep(0.01)
threading.Thread(target=tick, daemon=True).start()
class Tell(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps({'pid': os.getpid(), 'count': count, 'hash': hashlib.sha256(data).hexdigest(), 'offset': lines.tell()}).encode()
        self.send_response(200)
        self.send_header('content-length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *args): pass
socketserver.TCPServer.allow_reuse_address = True
socketserver.TCPServer(('127.0.0.1', 9000), Tell).serve_forever()
`

const told = z.object({ pid: z.number(), count: z.number(), hash: z.string(), offset: z.number() })

async function ask(sandbox: SandboxLike): Promise<z.infer<typeof told>> {
  const retry = '--retry 100 --retry-delay 0 --retry-connrefused --retry-max-time 30'
  const { stdout } = await sandbox.commands.run(`curl -sS ${retry} http://127.0.0.1:9000/`)
  return told.parse(JSON.parse(stdout))
}

/** What the tests of one telling share; filled before the first of them runs. */
class Telling {
  readonly sdk: Sdk
  #world: TestWorld | undefined
  #sandbox: SandboxLike | undefined

  constructor(sdk: Sdk) {
    this.sdk = sdk
  }

  get world(): TestWorld {
    if (!this.#world) throw new Error('the world was not booted')
    return this.#world
  }

  get sandbox(): SandboxLike {
    if (!this.#sandbox) throw new Error('no sandbox was created')
    return this.#sandbox
  }

  set sandbox(sandbox: SandboxLike) {
    this.#sandbox = sandbox
  }

  async begin(warmMemoryMiB: string): Promise<void> {
    this.#world = await bootWorld({ TORPOR_WARM_MEMORY: warmMemoryMiB })
    Object.assign(process.env, this.#world.env)
    this.#sandbox = await this.sdk.create({ timeoutMs: 300_000, metadata: { story: this.sdk.name }, envs: { GREETING: 'hello' } })
  }

  async end(): Promise<void> {
    await this.#world?.close()
  }
}

/** The main story, told by one SDK in a world whose paused sandboxes stay in memory (`frozen`) or do not (`image`). */
export function tellStory(sdk: Sdk, tier: 'frozen' | 'image'): void {
  describe(`${sdk.name}, resumed from the ${tier}`, () => {
    const telling = new Telling(sdk)
    beforeAll(() => telling.begin(tier === 'frozen' ? '2048' : '0'))
    afterAll(() => telling.end())
    awake(telling)
    commands(telling)
    asleep(telling)
  })
}

function awake(telling: Telling): void {
  test('a new sandbox is running, with its metadata and its time', async () => {
    const { sandbox, sdk } = telling
    expect(await sandbox.isRunning()).toBe(true)
    const info = await sandbox.getInfo()
    expect(info.metadata).toEqual({ story: sdk.name })
    expect(Math.abs(info.endAt.getTime() - info.startedAt.getTime() - 300_000)).toBeLessThan(2000)
  })

  test('files are written, read, listed, moved and removed', async () => {
    const { sandbox } = telling
    await sandbox.files.write('lines.txt', 'line 1\nline 2\nline 3\n')
    await sandbox.files.write('/home/user/deep/er/ünï cödé.txt', 'päth')
    expect(await sandbox.files.read('/home/user/lines.txt')).toBe('line 1\nline 2\nline 3\n')
    expect(await sandbox.files.read('deep/er/ünï cödé.txt')).toBe('päth')
    expect(await sandbox.files.makeDir('made')).toBe(true)
    expect(await sandbox.files.makeDir('made')).toBe(false)
    await sandbox.files.rename('deep/er/ünï cödé.txt', 'made/plain.txt')
    expect((await sandbox.files.list('made')).map((entry) => entry.name)).toEqual(['plain.txt'])
    await sandbox.files.remove('made')
    expect(await sandbox.files.exists('made')).toBe(false)
  })
}

function commands(telling: Telling): void {
  test('E1, E3, E4: commands give output, exit code, environment, directory and user', async () => {
    const { sandbox } = telling
    const result = await sandbox.commands.run('echo out; echo err >&2; echo $GREETING $(pwd) $(whoami)')
    expect(result).toMatchObject({ exitCode: 0, stderr: 'err\n', stdout: 'out\nhello /home/user user\n' })
    const root = await sandbox.commands.run('echo $GREETING $(pwd) $(whoami)', { envs: { GREETING: 'bye' }, cwd: '/tmp', user: 'root' })
    expect(root.stdout).toBe('bye /tmp root\n')
    await expect(sandbox.commands.run('exit 7')).rejects.toMatchObject({ exitCode: 7 })
    const tools = await sandbox.commands.run('sudo id -u; python --version; node --version; git --version')
    expect(tools.stdout).toMatch(/^0\nPython 3.*\nv2\d\..*\ngit/)
  })

  test('a command over its time is ended', async () => {
    const { sandbox } = telling
    await expect(sandbox.commands.run('sleep 4321', { timeoutMs: 500 })).rejects.toThrow(/time/i)
    await expect.poll(async () => (await sandbox.commands.run('pgrep -fx "sleep 4321" || echo none')).stdout).toBe('none\n')
  })

  test('a background command streams, takes input and is killed', async () => {
    const { sandbox } = telling
    const seen: string[] = []
    const handle = await sandbox.commands.run('cat', { background: true, stdin: true, onStdout: (text) => void seen.push(text) })
    await sandbox.commands.sendStdin(handle.pid, 'typed\n')
    await expect.poll(() => seen.join('')).toBe('typed\n')
    expect((await sandbox.commands.list()).map((entry) => entry.pid)).toContain(handle.pid)
    expect(await handle.kill()).toBe(true)
    await expect(handle.wait()).rejects.toThrow(/signal|killed|exit/)
    expect(await sandbox.commands.kill(handle.pid)).toBe(false)
  })
}

function asleep(telling: Telling): void {
  const { sdk } = telling

  test('P1–P3, P12: files and memory survive three sleeps: same process, count goes on, bytes equal, open file and tmpfs there', async () => {
    const { sandbox } = telling
    await sandbox.files.write('/home/user/keeper.py', keeper)
    await sandbox.commands.run('echo in-memory > /dev/shm/kept')
    await sandbox.commands.run('nohup python3 /home/user/keeper.py > /tmp/keeper.log 2>&1 &')
    let before = await ask(sandbox)
    for (let cycle = 0; cycle < 3; cycle += 1) {
      await sdk.pause(telling.sandbox)
      expect(await sdk.list(['paused'])).toContain(sandbox.sandboxId)
      expect(await sdk.list(['running'])).not.toContain(sandbox.sandboxId)
      expect(await telling.sandbox.isRunning()).toBe(false)
      telling.sandbox = await sdk.connect(sandbox.sandboxId, { timeoutMs: 120_000 })
      const after = await ask(telling.sandbox)
      expect(after).toMatchObject({ pid: before.pid, hash: before.hash, offset: before.offset })
      expect(after.count).toBeGreaterThan(before.count)
      const kept = await telling.sandbox.commands.run('cat /dev/shm/kept /home/user/lines.txt')
      expect(kept.stdout).toBe('in-memory\nline 1\nline 2\nline 3\n')
      before = after
    }
  })

  test('ten connects at once on a paused sandbox are one resume', async () => {
    const { sandbox, world } = telling
    await sdk.pause(sandbox)
    const all = await Promise.all(Array.from({ length: 10 }, () => sdk.connect(sandbox.sandboxId)))
    const pids = await Promise.all(all.map(async (one) => (await ask(one)).pid))
    expect(new Set(pids).size).toBe(1)
    const resumes = world.events(sandbox.sandboxId).filter((event) => event.name === 'resumed')
    expect(resumes).toHaveLength(4)
  })

  test('L7, P13, P27: a killed sandbox is gone for good', async () => {
    const { sandbox } = telling
    await sandbox.kill()
    expect(await sandbox.isRunning()).toBe(false)
    expect(await sdk.list(['running', 'paused'])).not.toContain(sandbox.sandboxId)
    await expect(sdk.connect(sandbox.sandboxId)).rejects.toBeInstanceOf(sdk.NotFoundError)
  })
}
