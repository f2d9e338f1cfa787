import { createHash, randomBytes } from 'node:crypto'
import http from 'node:http'

import { type TestWorld, bootWorld } from '@torpor/testkit'
import { Sandbox } from 'e2b'
import { Sandbox as NovitaSandbox } from 'novita-sandbox'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'

let world: TestWorld
beforeAll(async () => {
  world = await bootWorld()
  Object.assign(process.env, world.env)
})
afterAll(async () => {
  await world?.close()
})

const stateOf = async (id: string): Promise<string> => (await Sandbox.getInfo(id)).state
const paused = (id: string): Promise<void> => expect.poll(() => stateOf(id), { timeout: 20_000 }).toBe('paused')

/** A request as a browser would make it, to the public name of a port. */
function visit(
  id: string,
  port: number,
  options: { path?: string; headers?: Record<string, string> } = {},
): Promise<{ status: number; body: string }> {
  const { hostname, port: own } = new URL(world.url)
  const host = `${port}-${id}.sbx.localhost`
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port: own, ...options, headers: { host, ...options.headers } }, (response) => {
      let body = ''
      response.setEncoding('utf8')
      response.on('data', (chunk: string) => (body += chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }))
    })
    request.on('error', reject)
    request.on('upgrade', (response, socket) => {
      socket.destroy()
      resolve({ status: response.statusCode ?? 0, body: '' })
    })
    request.end()
  })
}

/** Answers HTTP and accepts upgrades on port 3000. */
const service = `
import base64, hashlib, http.server, socketserver
class Service(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        if self.headers.get('Upgrade'):
            self.send_response(101)
            self.send_header('Upgrade', 'websocket')
            self.send_header('Connection', 'Upgrade')
            self.send_header('Sec-WebSocket-Accept', base64.b64encode(hashlib.sha1((self.headers['Sec-WebSocket-Key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').encode()).digest()).decode())
            self.end_headers()
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header('Content-Length', '5')
        self.end_headers()
        self.wfile.write(b'awake')
socketserver.ThreadingTCPServer.allow_reuse_address = True
# Python's own five would drop most of 200 at once, whatever is before them.
socketserver.ThreadingTCPServer.request_queue_size = 512
socketserver.ThreadingTCPServer(('0.0.0.0', 3000), Service).serve_forever()
`

async function serving(metadata: Record<string, string> = {}): Promise<Sandbox> {
  const sandbox = await Sandbox.create({ lifecycle: { onTimeout: 'pause', autoResume: true }, metadata })
  await sandbox.files.write('service.py', service)
  await sandbox.commands.run('nohup python3 service.py >/dev/null 2>&1 &')
  await vi.waitUntil(async () => (await visit(sandbox.sandboxId, 3000)).status === 200, { timeout: 20_000 })
  return sandbox
}

describe('auto-pause', () => {
  test('R2 R10 R16 R17 P24 P26: pauses at the timeout, again after every resume', async () => {
    const sandbox = await NovitaSandbox.betaCreate({ timeoutMs: 1500, autoPause: true })
    for (let round = 0; round < 2; round += 1) {
      await paused(sandbox.sandboxId)
      const resumed = await NovitaSandbox.connect(sandbox.sandboxId, { timeoutMs: 1500 })
      expect(resumed.sandboxId).toBe(sandbox.sandboxId)
      expect(await stateOf(sandbox.sandboxId)).toBe('running')
    }
    await paused(sandbox.sandboxId)
    await sandbox.kill()
  })

  test('R1 R3: without it a sandbox is gone at its timeout, and a paused one stays paused', async () => {
    const sandbox = await Sandbox.create({ timeoutMs: 1000 })
    await expect
      .poll(
        () =>
          Sandbox.getInfo(sandbox.sandboxId).then(
            () => 'there',
            () => 'gone',
          ),
        { timeout: 20_000 },
      )
      .toBe('gone')
    expect(world.events(sandbox.sandboxId).at(-1)).toMatchObject({ name: 'killed', reason: 'timeout' })
    const asleep = await Sandbox.create()
    await asleep.pause()
    await expect(asleep.commands.run('true')).rejects.toBeInstanceOf(Error)
    expect(await stateOf(asleep.sandboxId)).toBe('paused')
    await asleep.kill()
  })
})

describe('waking by activity', () => {
  let sandbox: Sandbox
  beforeAll(async () => {
    sandbox = await serving()
  })
  afterAll(async () => {
    await sandbox?.kill()
  })
  const key = randomBytes(16).toString('base64')
  const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': key }

  const activities: readonly [string, () => Promise<unknown>][] = [
    ['a command', () => sandbox.commands.run('true')],
    ['reading a file', () => sandbox.files.read('service.py')],
    ['writing a file', () => sandbox.files.write('written', 'x')],
    ['a background command, whose stream stays open', async () => (await sandbox.commands.run('sleep 1', { background: true })).wait()],
    ['an HTTP request to a port', async () => expect((await visit(sandbox.sandboxId, 3000)).body).toBe('awake')],
    ['a WebSocket upgrade', async () => expect((await visit(sandbox.sandboxId, 3000, { headers: upgrade })).status).toBe(101)],
  ]

  test.each(activities)('R5 R6: %s alone is enough: it is held, and answered', async (_name, act) => {
    await sandbox.pause()
    await act()
    expect(await stateOf(sandbox.sandboxId)).toBe('running')
  })

  test('R7 R9: the new time is at least five minutes from the resume', async () => {
    await sandbox.setTimeout(60_000)
    await sandbox.pause()
    await sandbox.commands.run('true')
    const { startedAt, endAt } = await sandbox.getInfo()
    expect(endAt.getTime() - startedAt.getTime()).toBe(300_000)
    expect(Date.now() - startedAt.getTime()).toBeLessThan(20_000)
  })

  test('200 requests at once are one resume, and all are answered', async () => {
    await sandbox.pause()
    const before = world.events(sandbox.sandboxId).length
    const answers = await Promise.all(Array.from({ length: 200 }, () => visit(sandbox.sandboxId, 3000)))
    expect(new Set(answers.map(({ status, body }) => `${status} ${body}`))).toEqual(new Set(['200 awake']))
    expect(
      world
        .events(sandbox.sandboxId)
        .slice(before)
        .map(({ name }) => name),
    ).toEqual(['resumed'])
  })

  test('what must not wake it does not: a health probe, a wrong token, no token', async () => {
    await sandbox.pause()
    expect(await sandbox.isRunning()).toBe(false)
    const files = { path: '/files?path=service.py' }
    expect((await visit(sandbox.sandboxId, 49_983, files)).status).toBe(403)
    expect((await visit(sandbox.sandboxId, 49_983, { ...files, headers: { 'x-access-token': 'wrong' } })).status).toBe(403)
    expect(await stateOf(sandbox.sandboxId)).toBe('paused')
  })

  test('R18 R19: metadata alone is enough, after a manual pause and with onTimeout kill', async () => {
    const plain = await NovitaSandbox.create({ metadata: { auto_resume: 'true' } })
    await plain.betaPause()
    expect((await plain.commands.run('echo awake')).stdout).toBe('awake\n')
    const { startedAt, endAt, state } = await Sandbox.getInfo(plain.sandboxId)
    expect([state, endAt.getTime() - startedAt.getTime()]).toEqual(['running', 300_000])
    await plain.kill()
  })

  test('metadata.wake_on chooses which activities wake', async () => {
    const chosen = await serving({ wake_on: '8080' })
    await chosen.pause()
    expect((await visit(chosen.sandboxId, 3000)).status).toBe(502)
    await expect(chosen.commands.run('true')).rejects.toBeInstanceOf(Error)
    // Nobody listens there, but it wakes for it.
    expect((await visit(chosen.sandboxId, 8080)).status).toBe(502)
    expect(await stateOf(chosen.sandboxId)).toBe('running')
    await chosen.kill()
  })
})

describe('pause as each family documents it', () => {
  const content = randomBytes(64 * 1024 * 1024)

  test('P7–P11: Novita is answered at once; list and info show paused, work is refused, connect waits and resumes', async () => {
    const sandbox = await NovitaSandbox.create()
    await sandbox.files.write('/dev/shm/large', new Blob([new Uint8Array(content)]))
    await sandbox.betaPause()
    const { items } = { items: await NovitaSandbox.list({ query: { state: ['paused'] } }).nextItems() }
    expect(items.map(({ sandboxId }) => sandboxId)).toContain(sandbox.sandboxId)
    expect(await stateOf(sandbox.sandboxId)).toBe('paused')
    await expect(sandbox.commands.run('true')).rejects.toBeInstanceOf(Error)
    const resumed = await NovitaSandbox.connect(sandbox.sandboxId)
    const { stdout } = await resumed.commands.run('sha256sum /dev/shm/large')
    expect(stdout.split(' ')[0]).toBe(createHash('sha256').update(content).digest('hex'))
    const names = world.events(sandbox.sandboxId).map(({ name }) => name)
    expect(names).toEqual(['created', 'pausing', 'paused', 'resumed'])
    await resumed.kill()
  })

  test('a second pause says false, in both families', async () => {
    const sandbox = await Sandbox.create()
    expect([await sandbox.pause(), await sandbox.pause()]).toEqual([true, false])
    expect(await NovitaSandbox.betaPause(sandbox.sandboxId)).toBe(false)
    await sandbox.kill()
  })
})
