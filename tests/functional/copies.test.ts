import http from 'node:http'

import { type TestWorld, bootWorld } from '@torpor/testkit'
import { Sandbox } from 'e2b'
import { Sandbox as NovitaSandbox } from 'novita-sandbox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

let world: TestWorld
beforeAll(async () => {
  world = await bootWorld({ TORPOR_MAX_MEMORY: '6144', TORPOR_MEMORY_OVERCOMMIT: '1' })
  Object.assign(process.env, world.env)
})
afterAll(async () => {
  await world?.close()
})

/** Counts in memory and says how far it is, with a random number that it drew at its start. */
const counter = `
import os, random, time
drawn = random.random()
n = 0
while True:
    n += 1
    open('/dev/shm/state.new', 'w').write(f'{os.getpid()} {n} {drawn}')
    os.rename('/dev/shm/state.new', '/dev/shm/state')
    time.sleep(0.01)
`

type Either = Pick<Sandbox, 'sandboxId'> & { files: { read(path: string): Promise<string> } }

async function stateOf(sandbox: Either): Promise<{ pid: string; count: number; drawn: string }> {
  const [pid = '', count = '', drawn = ''] = (await sandbox.files.read('/dev/shm/state')).split(' ')
  return { pid, count: Number(count), drawn }
}

async function counting(options: { envs?: Record<string, string>; timeoutMs?: number } = {}): Promise<Sandbox> {
  const sandbox = await Sandbox.create(options)
  await sandbox.files.write('counter.py', counter)
  await sandbox.commands.run('nohup python3 counter.py >/dev/null 2>&1 &')
  await expect.poll(() => sandbox.files.exists('/dev/shm/state'), { timeout: 20_000 }).toBe(true)
  return sandbox
}

/** The same process as in the origin, not behind it, and it goes on. */
async function expectSameLife(copy: Either, origin: { pid: string; count: number; drawn: string }): Promise<void> {
  const state = await stateOf(copy)
  expect([state.pid, state.drawn]).toEqual([origin.pid, origin.drawn])
  expect(state.count).toBeGreaterThanOrEqual(origin.count)
  await expect.poll(async () => (await stateOf(copy)).count).toBeGreaterThan(state.count)
}

const killAll = (...sandboxes: readonly { kill(): Promise<unknown> }[]): Promise<unknown> =>
  Promise.all(sandboxes.map((each) => each.kill()))

describe('clones, as Novita makes them', () => {
  test('C1 C2 C3 C9: of a running sandbox, each with the files and the memory, and a life of its own', async () => {
    const parent = await counting({ envs: { WHO: 'parent' } })
    const before = await stateOf(parent)
    const { sandboxes: clones } = await NovitaSandbox.clone(parent.sandboxId, { count: 2, timeoutMs: 100_000 })
    expect(clones).toHaveLength(2)
    for (const clone of clones) {
      await expectSameLife(clone, before)
      await clone.files.write('/home/user/own', clone.sandboxId)
      expect((await clone.commands.run('echo $WHO')).stdout).toBe('parent\n')
      const { startedAt, endAt } = await clone.getInfo()
      expect(endAt.getTime() - startedAt.getTime()).toBe(100_000)
    }
    await expectSameLife(parent, before)
    expect(await parent.files.exists('/home/user/own')).toBe(false)
    await clones[0]?.kill()
    expect(await clones[1]?.files.read('/home/user/own')).toBe(clones[1]?.sandboxId)
    await killAll(parent, ...clones.slice(1))
  })

  test('each has its own id, token, host name, address and entropy, inside as well', async () => {
    const parent = await counting()
    const { sandboxes: clones } = await NovitaSandbox.clone(parent.sandboxId, { count: 2 })
    const ask = 'hostname; hostname -I; echo $E2B_SANDBOX_ID; cat /run/e2b/.E2B_SANDBOX_ID; echo; head -c 16 /dev/urandom | od -An -tx1'
    const told = await Promise.all([parent, ...clones].map(async (each) => (await each.commands.run(ask)).stdout.trim().split('\n')))
    for (const [index, { sandboxId }] of [parent, ...clones].entries()) {
      const [hostname, , fromEnv, fromFile] = told[index] ?? []
      expect([hostname, fromEnv, fromFile]).toEqual([sandboxId, sandboxId, sandboxId])
    }
    for (const line of [1, 4]) expect(new Set(told.map((lines) => lines[line])).size).toBe(3)
    // A parent's token opens none of its clones.
    const token = world.tokenOf(parent.sandboxId)
    const doors = clones.map(({ sandboxId }) => `http://${world.addressOf(sandboxId)}:49983/files?path=counter.py`)
    const statuses = await Promise.all(doors.map(async (door) => (await fetch(door, { headers: { 'x-access-token': token } })).status))
    expect(statuses).toEqual([401, 401])
    await killAll(parent, ...clones)
  })

  test('C1 C8: of a paused sandbox, which stays asleep', async () => {
    const parent = await counting({ timeoutMs: 1_000_000 })
    const before = await stateOf(parent)
    await parent.pause()
    const { sandboxes: clones } = await NovitaSandbox.clone(parent.sandboxId)
    for (const clone of clones) {
      await expectSameLife(clone, before)
      const { startedAt, endAt } = await clone.getInfo()
      expect(endAt.getTime() - startedAt.getTime()).toBe(300_000)
    }
    expect((await parent.getInfo()).state).toBe('paused')
    await parent.connect()
    await expectSameLife(parent, before)
    await killAll(parent, ...clones)
  })

  test('C5 C6: as many as there is room for; with strict all or none, and the reason', async () => {
    const parent = await counting()
    await expect(NovitaSandbox.clone(parent.sandboxId, { count: 9, strict: true })).rejects.toThrow(/none is kept.*limit of 6144 MiB/)
    expect(await Sandbox.list().nextItems()).toHaveLength(1)
    const { sandboxes: clones } = await NovitaSandbox.clone(parent.sandboxId, { count: 9 })
    expect(clones).toHaveLength(5)
    await killAll(parent, ...clones)
  })

  test('a request in flight in the parent goes on over the cut; no clone owns its connection', async () => {
    const parent = await Sandbox.create()
    await parent.files.write('slow.py', slow)
    await parent.commands.run('nohup python3 slow.py >/dev/null 2>&1 &')
    const chunks: string[] = []
    const ended = new Promise<string>((resolve, reject) => {
      const { hostname, port } = new URL(world.url)
      const headers = { host: `8000-${parent.sandboxId}.sbx.localhost` }
      const ask = (tries: number): void => {
        const request = http.get({ hostname, port, headers }, (response) => {
          if (response.statusCode !== 200 && tries > 0) return void response.resume().on('end', () => ask(tries - 1))
          response.on('data', (chunk: Buffer) => chunks.push(chunk.toString()))
          response.on('end', () => resolve(chunks.join('')))
          response.on('error', reject)
        })
        request.on('error', reject)
      }
      ask(200)
    })
    await expect.poll(() => chunks.length, { timeout: 20_000 }).toBeGreaterThan(2)
    const { sandboxes: clones } = await NovitaSandbox.clone(parent.sandboxId, { count: 2 })
    expect(await ended).toBe(Array.from({ length: 40 }, (_, index) => `${index}\n`).join(''))
    for (const clone of clones) {
      const established = await clone.commands.run(`awk '$4 == "01" && $2 ~ /:1F40$/' /proc/net/tcp | wc -l`)
      expect(established.stdout.trim()).toBe('0')
    }
    await killAll(parent, ...clones)
  })

  test('a program is told to re-key itself: by a hook, before the clone can be reached, and by a file', async () => {
    const parent = await Sandbox.create()
    const hook = '#!/bin/sh\necho "$TORPOR_PREVIOUS_SANDBOX_ID $TORPOR_SANDBOX_ID" > /run/rekeyed\n'
    await parent.files.write('/etc/torpor/rekey.d/10-note', hook, { user: 'root' })
    await parent.commands.run('chmod +x /etc/torpor/rekey.d/10-note', { user: 'root' })
    const generation = async (sandbox: Either): Promise<unknown> => JSON.parse(await sandbox.files.read('/run/torpor/identity'))
    const { sandboxes: clones } = await NovitaSandbox.clone(parent.sandboxId)
    for (const clone of clones) {
      expect(await clone.files.read('/run/rekeyed')).toBe(`${parent.sandboxId} ${clone.sandboxId}\n`)
      expect(await generation(clone)).not.toEqual(await generation(parent))
      expect(await generation(clone)).toMatchObject({ sandboxId: clone.sandboxId })
    }
    expect(await parent.files.exists('/run/rekeyed')).toBe(false)
    await killAll(parent, ...clones)
  })
})

/** Streams forty lines over four seconds on port 8000. */
const slow = `
import http.server, socketserver, time
class Slow(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'
    def do_GET(self):
        self.send_response(200)
        self.send_header('Transfer-Encoding', 'chunked')
        self.end_headers()
        for index in range(40):
            line = b'%d\\n' % index
            self.wfile.write(b'%x\\r\\n%s\\r\\n' % (len(line), line))
            self.wfile.flush()
            time.sleep(0.1)
        self.wfile.write(b'0\\r\\n\\r\\n')
http.server.ThreadingHTTPServer(('0.0.0.0', 8000), Slow).serve_forever()
`

describe('forks and snapshots, as E2B makes them', () => {
  test('a fork has the memory of its parent and the default timeout; a paused one cannot be forked', async () => {
    const parent = await counting({ timeoutMs: 1_000_000 })
    const before = await stateOf(parent)
    const forks = await parent.fork({ count: 2 })
    for (const fork of forks) {
      if (!(fork instanceof Sandbox)) throw fork
      await expectSameLife(fork, before)
      const { startedAt, endAt } = await fork.getInfo()
      expect(endAt.getTime() - startedAt.getTime()).toBe(300_000)
      await fork.kill()
    }
    await parent.pause()
    await expect(parent.fork()).rejects.toThrow(/paused/)
    await parent.kill()
  })

  test('P21: a snapshot leaves its sandbox running, outlives it, and gives sandboxes with its memory', async () => {
    const origin = await counting()
    const before = await stateOf(origin)
    const { snapshotId } = await origin.createSnapshot()
    await expectSameLife(origin, before)
    await origin.kill()
    const made = await Sandbox.create(snapshotId)
    await expectSameLife(made, before)
    await made.kill()
    expect([await NovitaSandbox.deleteSnapshot(snapshotId), await Sandbox.deleteSnapshot(snapshotId)]).toEqual([true, false])
    await expect(Sandbox.create(snapshotId)).rejects.toThrow(/not found/)
  })

  test('named ones are found by their name; the list comes page by page, each once', async () => {
    const origin = await Sandbox.create()
    const made: string[] = []
    for (const name of ['one', 'two', undefined]) made.push((await origin.createSnapshot(name === undefined ? {} : { name })).snapshotId)
    const seen: string[] = []
    const pages = Sandbox.listSnapshots({ sandboxId: origin.sandboxId, limit: 1 })
    while (pages.hasNext) seen.push(...(await pages.nextItems()).map((entry) => entry.snapshotId))
    expect(seen).toEqual(made.toReversed())
    const copy = await Sandbox.create('one')
    expect((await copy.getInfo()).state).toBe('running')
    await killAll(origin, copy)
    await Promise.all(made.map((id) => Sandbox.deleteSnapshot(id)))
  })

  test('a reset rolls back in place: same id, earlier files and memory', async () => {
    const sandbox = await counting()
    const before = await stateOf(sandbox)
    await sandbox.createSnapshot()
    await sandbox.files.write('later.txt', 'x')
    await sandbox.commands.run('pkill -f counter.py')
    expect(await NovitaSandbox.reset(sandbox.sandboxId)).toBe(true)
    expect(await sandbox.files.exists('later.txt')).toBe(false)
    await expectSameLife(sandbox, before)
    await sandbox.kill()
    await Promise.all((await Sandbox.listSnapshots().nextItems()).map(({ snapshotId }) => Sandbox.deleteSnapshot(snapshotId)))
  })
})
