import { type MortalServer, type TestWorld, bootMortal, bootWorld } from '@torpor/testkit'
import { ALL_TRAFFIC, Sandbox } from 'e2b'
import { Sandbox as NovitaSandbox } from 'novita-sandbox'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Outside, openOutside } from './outside.ts'

/** What the SDKs' sandboxes have in common. */
interface Shell {
  readonly commands: { run(command: string): Promise<Outcome> }
}

interface Outcome {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

const curl = (from: Shell, url: string, ...options: string[]): Promise<Outcome> =>
  from.commands
    .run(`curl -sSk --max-time 8 ${options.join(' ')} ${url}`)
    // The SDKs' errors of a command that failed have the same fields.
    .catch((error: Outcome) => error)

describe('what a sandbox may reach outside is what its owner says', () => {
  let world: TestWorld
  let outside: Outside
  let friend: string
  let stranger: string
  let third: string

  beforeAll(async () => {
    outside = await openOutside(({ addresses: [one, two], gateway }) => ({
      'friend.test': one,
      'api.friend.test': one,
      'stranger.test': two,
      'inside.friend.test': '127.0.0.1',
      'host.friend.test': gateway,
    }))
    ;[friend, stranger, third] = outside.addresses
    world = await bootWorld({ TORPOR_RESOLVERS: `${third}:53`, TORPOR_SANDBOX_CONNECTIONS: '64' })
    Object.assign(process.env, world.env)
  })
  afterAll(async () => {
    await world?.close()
    await outside?.close()
  })

  test('denied addresses and ranges are refused at once, all else is reached', async () => {
    const sandbox = await Sandbox.create({ network: { denyOut: [stranger, `${third}/32`] } })
    expect((await curl(sandbox, `http://${friend}/`)).stdout).toContain(friend)
    const asked = Date.now()
    expect((await curl(sandbox, `http://${stranger}/`)).exitCode).toBe(7)
    expect((await curl(sandbox, `http://${third}:8080/`)).exitCode).toBe(7)
    expect(Date.now() - asked).toBeLessThan(4000)
    expect((await curl(sandbox, 'http://stranger.test/')).exitCode).toBe(7)
    expect((await curl(sandbox, 'http://friend.test/')).stdout).toContain('as friend.test')
    const { network } = await sandbox.getInfo()
    expect(network?.denyOut).toEqual([stranger, `${third}/32`])
    await sandbox.kill()
  })

  test('what is allowed goes before what is denied; without internet access as well', async () => {
    const sandbox = await Sandbox.create({ network: { denyOut: [ALL_TRAFFIC], allowOut: [friend] } })
    const offline = await NovitaSandbox.create({ allowInternetAccess: false, network: { allowOut: [`${friend}/32`] } })
    for (const one of [sandbox, offline]) {
      expect((await curl(one, `http://${friend}:8080/`)).stdout).toContain(friend)
      expect((await curl(one, `https://${friend}/`)).stdout).toContain(friend)
      expect((await curl(one, `http://${stranger}:8080/`)).exitCode).toBe(7)
      expect((await curl(one, `https://${stranger}/`)).exitCode).toBe(7)
      expect((await curl(one, 'http://friend.test/')).exitCode).toBe(6)
      expect((await one.commands.run('echo still usable')).stdout).toBe('still usable\n')
      await one.kill()
    }
  })

  test('names: HTTP and TLS by the host asked for, every other port by the addresses that the names have led to', async () => {
    const sandbox = await Sandbox.create({ network: { denyOut: [ALL_TRAFFIC], allowOut: ['friend.test', '*.friend.test'] } })
    expect((await curl(sandbox, 'http://friend.test/')).stdout).toContain(`${friend} as friend.test`)
    expect((await curl(sandbox, 'https://api.friend.test/')).stdout).toContain(`${friend} as api.friend.test`)
    expect((await curl(sandbox, 'http://api.friend.test:5432/')).stdout).toContain(friend)
    // The name decides, not the address that the sandbox claims for it.
    expect((await curl(sandbox, 'https://friend.test/', '--resolve', `friend.test:443:${stranger}`)).stdout).toContain(friend)
    const refused = [
      await curl(sandbox, 'http://stranger.test/'),
      await curl(sandbox, `https://stranger.test/`, '--resolve', `stranger.test:443:${friend}`),
      await curl(sandbox, `https://${friend}/`),
      await curl(sandbox, `http://${stranger}:8080/`),
      await curl(sandbox, 'http://inside.friend.test/'),
      await curl(sandbox, 'http://host.friend.test/'),
      await curl(sandbox, `http://${outside.gateway}:${new URL(world.url).port}/health`),
    ]
    expect(refused.map(({ exitCode }) => exitCode === 0)).toEqual(refused.map(() => false))
    const plain = await curl(sandbox, 'http://stranger.test/', '-w', '%{http_code}', '--resolve', `stranger.test:80:${friend}`)
    expect(plain.stdout).toContain('allowOut does not name it')
    expect(plain.stdout).toContain('403')
    await sandbox.kill()
  })

  test('names that are not allowed are not even looked up: nothing leaks by questions', async () => {
    const sandbox = await Sandbox.create({ network: { denyOut: [ALL_TRAFFIC], allowOut: ['friend.test'] } })
    await curl(sandbox, 'http://secret-42.stranger.test/')
    await sandbox.commands.run(`python3 - <<'P'
import socket, struct
def question(name):
    return bytes.fromhex('abcd01000001000000000000') + b''.join(bytes([len(p)]) + p.encode() for p in name.split('.')) + b'\\0\\0\\1\\0\\1'
for target in ('169.254.53.53', '${third}'):
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        s = socket.socket(socket.AF_INET, kind); s.settimeout(2)
        m = question('secret-43.stranger.test')
        try:
            s.connect((target, 53)); s.send(m if kind == socket.SOCK_DGRAM else struct.pack('>H', len(m)) + m); print(s.recv(512).hex())
        except OSError as error: print(error)
P`)
    expect((await curl(sandbox, 'http://friend.test/')).exitCode).toBe(0)
    expect(outside.lookedUp).toContain('friend.test')
    expect(outside.lookedUp.filter((name) => name.startsWith('secret-'))).toEqual([])
    await sandbox.kill()
  })

  test('a change holds at once for new connections, outlives pause, resume and clone, and clears what it leaves out', async () => {
    const sandbox = await Sandbox.create()
    expect((await curl(sandbox, `http://${stranger}/`)).exitCode).toBe(0)
    await sandbox.updateNetwork({ denyOut: [ALL_TRAFFIC], allowOut: [friend] })
    const isRuled = async (one: Sandbox): Promise<void> => {
      expect((await curl(one, `http://${stranger}/`)).exitCode).toBe(7)
      expect((await curl(one, `http://${friend}/`)).exitCode).toBe(0)
    }
    await isRuled(sandbox)
    await sandbox.pause()
    await sandbox.connect()
    await isRuled(sandbox)
    const { sandboxes } = await NovitaSandbox.clone(sandbox.sandboxId)
    const clone = await Sandbox.connect(sandboxes[0]?.sandboxId ?? '')
    await isRuled(clone)
    await clone.kill()
    await sandbox.pause()
    await NovitaSandbox.setNetwork(sandbox.sandboxId, { denyOut: [friend] })
    await sandbox.connect()
    expect((await curl(sandbox, `http://${stranger}/`)).exitCode).toBe(0)
    expect((await curl(sandbox, `http://${friend}/`)).exitCode).toBe(7)
    await sandbox.updateNetwork({})
    expect((await curl(sandbox, `http://${friend}/`)).exitCode).toBe(0)
    expect((await sandbox.getInfo()).network?.denyOut).toBeUndefined()
    await sandbox.kill()
  })

  test('what cannot be meant is refused, with the name of the field', async () => {
    await expect(Sandbox.create({ network: { allowOut: ['friend.test'] } })).rejects.toThrow(
      'allowOut: host names need denyOut to contain 0.0.0.0/0',
    )
    await expect(Sandbox.create({ network: { denyOut: ['friend.test'] } })).rejects.toThrow(
      'network.denyOut.0: must be an address or a range',
    )
    await expect(Sandbox.create({ network: { allowOut: ['http://friend.test'] } })).rejects.toThrow(
      'network.allowOut.0: must be an address',
    )
    const sandbox = await Sandbox.create()
    await expect(sandbox.updateNetwork({ allowOut: ['*'] })).rejects.toThrow('allowOut.0')
    await expect(Sandbox.updateNetwork('i0000000000000000000a', {})).rejects.toThrow('not found')
    await sandbox.kill()
  })

  test('more connections than a sandbox may have are refused, and those of others are not', async () => {
    const [greedy, other] = await Promise.all([Sandbox.create(), Sandbox.create()])
    const { stdout } = await greedy.commands.run(`python3 - <<'P'
import socket
held = []
for n in range(100):
    s = socket.socket(); s.settimeout(3)
    try: s.connect(('${friend}', 8080)); held.append(s)
    except OSError as error: print(len(held), error); break
P`)
    expect(stdout).toMatch(/^6\d .*refused/)
    expect((await curl(other, `http://${friend}:8080/`)).exitCode).toBe(0)
    await Promise.all([greedy.kill(), other.kill()])
  })
})

describe('what a server was told holds after its death', () => {
  let server: MortalServer
  let outside: Outside
  beforeAll(async () => {
    outside = await openOutside(({ addresses: [one] }) => ({ 'friend.test': one }))
    server = await bootMortal({ TORPOR_RESOLVERS: outside.addresses[0], TORPOR_SANDBOX_MBIT: '8' })
    Object.assign(process.env, server.env)
  })
  afterAll(async () => {
    await server?.close()
    await server?.remove()
    await outside?.close()
  })

  test('the rules of sandboxes that run on, also as far as this process has a part in them', async () => {
    const [friend, stranger] = outside.addresses
    const sandbox = await Sandbox.create({ network: { denyOut: [ALL_TRAFFIC], allowOut: ['friend.test'] } })
    await server.dieAt('pause recorded')
    const other = await Sandbox.create()
    await other.pause().catch(() => undefined)
    await server.death
    expect(await sandbox.isRunning().catch(() => false)).toBe(false)
    await server.restart()
    expect((await curl(sandbox, 'http://friend.test/')).stdout).toContain(friend)
    expect((await curl(sandbox, 'http://friend.test:8080/')).stdout).toContain(friend)
    expect((await curl(sandbox, `https://${stranger}/`)).exitCode).not.toBe(0)
    expect((await curl(sandbox, `http://${stranger}:8080/`)).exitCode).toBe(7)
    await Promise.all([sandbox.kill(), other.kill()])
  })

  test('no sandbox is faster than TORPOR_SANDBOX_MBIT, in either direction', async () => {
    const sandbox = await Sandbox.create()
    const down = `curl -sS -o /dev/null -w '%{time_total}' http://${outside.addresses[0]}:8080/bytes/3000000`
    const seconds = Number((await sandbox.commands.run(down)).stdout)
    expect(seconds).toBeGreaterThan(2)
    const begun = Date.now()
    const { stdout } = await sandbox.commands.run('head -c 3000000 /dev/zero')
    expect([stdout.length, (Date.now() - begun) / 1000 > 2]).toEqual([3_000_000, true])
    await sandbox.kill()
  })
})
