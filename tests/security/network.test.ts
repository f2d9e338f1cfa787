import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { type Server, createServer } from 'node:http'

import { type TestWorld, bootWorld, ip } from '@torpor/testkit'
import { Sandbox } from 'e2b'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { type Outside, openOutside } from './outside.ts'

describe('the network of a sandbox', () => {
  let world: TestWorld
  let first: Sandbox
  let second: Sandbox
  let machine: Server
  let outside: Outside
  const curl = (from: Sandbox, url: string) =>
    from.commands.run(`curl -sS --max-time 3 ${url}`).catch((error: { exitCode: number; stdout: string }) => error)

  beforeAll(async () => {
    world = await bootWorld()
    Object.assign(process.env, world.env)
    outside = await openOutside()
    ;[first, second] = await Promise.all([Sandbox.create(), Sandbox.create()])
    machine = createServer((_request, response) => response.end('the machine'))
    machine.listen(0, '0.0.0.0')
    await once(machine, 'listening')
  })
  afterAll(async () => {
    machine?.close()
    await world?.close()
    await outside?.close()
  })

  test('N1: a sandbox reaches the outside, by the address of the machine', async () => {
    expect((await curl(first, `http://${outside.addresses[0]}:8080/`)).stdout).toContain(`from ${outside.gateway}`)
  })

  test('a sandbox without internet access does not', async () => {
    const offline = await Sandbox.create({ allowInternetAccess: false })
    expect((await curl(offline, `http://${outside.addresses[0]}:8080/`)).exitCode).not.toBe(0)
    expect((await offline.commands.run('echo still usable')).stdout).toBe('still usable\n')
    await offline.kill()
  })

  test('N5 a sandbox reaches the platform by its public names, one without internet access does not, and nothing else is there', async () => {
    const api = `https://api.${world.env['E2B_DOMAIN']}/health`
    expect((await curl(first, api)).stdout).toBe('OK')
    expect((await curl(first, 'http://169.254.53.53:53443/')).exitCode).not.toBe(0)
    expect((await curl(first, `http://169.254.53.53:${new URL(world.url).port}/`)).exitCode).not.toBe(0)
    const offline = await Sandbox.create({ allowInternetAccess: false })
    expect((await curl(offline, api)).exitCode).not.toBe(0)
    await offline.kill()
  })

  test('nobody outside reaches what sandboxes reach the platform by', async () => {
    const [a, b, c = 0] = (world.addressOf(first.sandboxId) ?? '').split('.').map(Number)
    const door = `${a}.${b}.${c - (c % 16)}.1`
    ip('-n', outside.namespace, 'route', 'add', `${door}/32`, 'via', outside.gateway)
    for (const port of [53_443, 53_444, 53_530]) {
      expect(() => ip('netns', 'exec', outside.namespace, 'curl', '-sS', '--max-time', '2', `http://${door}:${port}/`)).toThrow('timed out')
    }
  })

  test('two sandboxes cannot reach each other, but by the edge', async () => {
    await first.commands.run('python3 -m http.server 8000', { background: true, timeoutMs: 0 })
    const headers = { 'e2b-sandbox-id': first.sandboxId, 'e2b-sandbox-port': '8000' }
    await expect.poll(async () => (await fetch(`${world.url}/`, { headers })).status, { timeout: 20_000 }).toBe(200)
    const address = world.addressOf(first.sandboxId)
    expect((await curl(second, `http://${address}:8000/`)).exitCode).not.toBe(0)
    expect((await curl(second, `http://${address}:49983/health`)).exitCode).not.toBe(0)
  })

  test('a sandbox reaches no service of the machine, on none of its addresses', async () => {
    const bound = machine.address()
    const port = typeof bound === 'object' ? bound?.port : undefined
    expect(port).toBeGreaterThan(0)
    const apiPort = new URL(world.url).port
    const gateway = (await first.commands.run("ip route | awk '/default/ {print $3}'")).stdout.trim()
    const own = execFileSync('hostname', ['-I'], { encoding: 'utf8' }).trim().split(/\s+/)
    const addresses = [gateway, outside.gateway, ...own.filter((one) => !one.includes(':'))]
    const urls = addresses.flatMap((address) => [`http://${address}:${port}/`, `http://${address}:${apiPort}/health`])
    const answers = await Promise.all(urls.map((url) => curl(first, url)))
    expect(answers.filter((answer) => answer.exitCode === 0)).toEqual([])
  })

  test('a forged source address goes nowhere', async () => {
    const commands = [
      'sudo ip addr add 198.51.100.9/32 dev eth0',
      `curl -sS --max-time 3 --interface 198.51.100.9 http://${outside.addresses[0]}:8080/`,
    ]
    const forged = await second.commands.run(commands.join('; ')).catch((error: { stdout: string }) => error)
    expect(forged.stdout).not.toContain('198.51.100.9')
  })

  test('names are looked up: the resolver answers', async () => {
    const question = `python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(15)
s.sendto(bytes.fromhex('abcd01000001000000000000') + b'\\x09localhost\\x00' + bytes.fromhex('00010001'), ('169.254.53.53', 53))
print(s.recv(512)[:2].hex())"`
    expect((await first.commands.run(question)).stdout).toBe('abcd\n')
  })

  test("the operator's key and the internals of the agent stay outside", async () => {
    const init = await fetch(`${world.url}/init`, {
      method: 'POST',
      body: '{}',
      headers: { 'e2b-sandbox-id': first.sandboxId, 'e2b-sandbox-port': '49983', 'x-api-key': world.apiKey },
    })
    expect(init.status).toBe(404)
    const noToken = await fetch(`${world.url}/process.Process/List`, {
      method: 'POST',
      body: '{}',
      headers: { 'e2b-sandbox-id': first.sandboxId, 'e2b-sandbox-port': '49983', 'content-type': 'application/json' },
    })
    expect(noToken.status).toBe(401)
  })
})
