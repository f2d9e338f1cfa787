import { once } from 'node:events'
import { readFileSync } from 'node:fs'

import { type TestWorld, bootWorld } from '@torpor/testkit'
import { Sandbox } from 'e2b'
import { Agent, WebSocket, fetch } from 'undici'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { webSocketEcho } from './web-socket-echo.ts'

let world: TestWorld
let sandbox: Sandbox
let dispatcher: Agent

beforeAll(async () => {
  world = await bootWorld()
  Object.assign(process.env, world.env)
  dispatcher = new Agent({ connect: { ca: readFileSync(world.env['NODE_EXTRA_CA_CERTS'] ?? '', 'utf8') }, allowH2: true })
  sandbox = await Sandbox.create({ timeoutMs: 300_000 })
})
afterAll(async () => {
  await dispatcher?.close()
  await world?.close()
})

/** As a program of the client would: by the public URL, over TLS. */
const get = (host: string, path = '/', init: Parameters<typeof fetch>[1] = {}) => fetch(`https://${host}${path}`, { dispatcher, ...init })

/** Starts a server in the sandbox and waits until it listens. */
async function serve(target: Sandbox, port: number, command: string): Promise<string> {
  await start(target, port, command)
  return target.getHost(port)
}

async function start(target: Sandbox, port: number, command: string) {
  const handle = await target.commands.run(command, { background: true, timeoutMs: 0 })
  const listening = `until grep -qi ":$(printf %04x ${port}) .* 0A" /proc/net/tcp /proc/net/tcp6; do sleep 0.05; done`
  await target.commands.run(listening, { timeoutMs: 20_000 })
  return handle
}

const nodeServer = (port: number, address: string, body: string): string =>
  `node -e 'require("http").createServer((request, response) => { ${body} }).listen(${port}, "${address}")'`

describe('N2–N4 the public URL', () => {
  test('N4 reaches python -m http.server, which lists the home directory, until its command is killed', async () => {
    const host = sandbox.getHost(3000)
    const handle = await start(sandbox, 3000, 'python3 -m http.server 3000')
    expect(host).toMatch(new RegExp(`^3000-${sandbox.sandboxId}\\.sbx\\.localhost:\\d+$`))
    const listing = await get(host)
    expect([listing.status, await listing.text()]).toEqual([200, expect.stringMatching(/\.bash_logout[^]*\.bashrc[^]*\.profile/)])
    await handle.kill()
    const closed = await get(host)
    expect([closed.status, await closed.json()]).toEqual([502, expect.objectContaining({ port: 3000, code: 502 })])
  })

  test('N5 works from inside the sandbox, with curl and with Python, and the certificate is trusted', async () => {
    const url = `https://${await serve(sandbox, 3000, 'python3 -m http.server 3000')}/`
    expect((await sandbox.commands.run(`curl -sS ${url}`)).stdout).toContain('.bashrc')
    const python = `python3 -c 'import urllib.request; print(urllib.request.urlopen("${url}").read().decode())'`
    expect((await sandbox.commands.run(python)).stdout).toContain('.bashrc')
    expect((await sandbox.commands.run(`node --use-openssl-ca -e 'fetch("${url}").then((a) => console.log(a.status))'`)).stdout).toBe(
      '200\n',
    )
  })

  test.each(['127.0.0.1', '::1'])('reaches a server on the loopback %s of the sandbox', async (address) => {
    const port = address === '::1' ? 3002 : 3001
    const host = await serve(sandbox, port, nodeServer(port, address, 'request.pipe(response)'))
    const body = 'x'.repeat(5_000_000)
    const answer = await get(host, '/', { method: 'POST', body })
    expect([answer.status, (await answer.text()) === body]).toEqual([200, true])
  })
})

async function message(socket: WebSocket): Promise<unknown> {
  const [event] = await once(socket, 'message')
  return event.data
}

describe('what flows through a public URL', () => {
  test('WebSockets, to the loopback too', async () => {
    await sandbox.files.write('/home/user/echo.js', webSocketEcho)
    const host = await serve(sandbox, 4000, 'node /home/user/echo.js')
    const socket = new WebSocket(`wss://${host}/`, { dispatcher })
    expect(await message(socket)).toBe('hello')
    socket.send('there and back')
    expect(await message(socket)).toBe('there and back')
    socket.close()
  })

  test('server-sent events, one by one, for longer than any read should wait', async () => {
    const body = `response.writeHead(200, { "content-type": "text/event-stream" })
      let count = 0
      setInterval(() => response.write("data: " + ++count + "\\n\\n"), 300)`
    const host = await serve(sandbox, 4001, nodeServer(4001, '0.0.0.0', body))
    const answer = await get(host)
    const seen: string[] = []
    for await (const chunk of answer.body ?? []) {
      seen.push(Buffer.from(chunk).toString())
      if (seen.length === 3) break
    }
    expect(seen).toEqual(['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n'])
  })

  test('200 MB out, and a long poll', async () => {
    const body = `if (request.url === "/poll") return setTimeout(() => response.end("at last"), 3000)
      let left = 200
      const more = () => { while (left-- > 0) if (!response.write(Buffer.alloc(1048576))) return response.once("drain", more); response.end() }
      more()`
    const host = await serve(sandbox, 4002, nodeServer(4002, '0.0.0.0', body))
    const poll = get(host, '/poll')
    let length = 0
    for await (const chunk of (await get(host)).body ?? []) length += chunk.length
    expect(length).toBe(200 * 1024 * 1024)
    expect(await (await poll).text()).toBe('at last')
  })
})

describe('restricted traffic', () => {
  test('lets browsers in by a token in the address, once, and programs by the header; the server sees the masked host', async () => {
    const network = { allowPublicTraffic: false, maskRequestHost: 'localhost:${PORT}' }
    const restricted = await Sandbox.create({ timeoutMs: 60_000, network })
    const tell = 'response.end(JSON.stringify(request.headers))'
    const host = await serve(restricted, 5000, nodeServer(5000, '127.0.0.1', tell))
    const token = restricted.trafficAccessToken ?? ''
    expect(token).not.toBe('')
    const refused = await get(host, '/', { headers: { accept: 'text/html' } })
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining('?e2b-traffic-access-token=')])
    const byHeader = await get(host, '/', { headers: { 'e2b-traffic-access-token': token } })
    const seen = await byHeader.text()
    expect([byHeader.status, seen.includes(token)]).toEqual([200, false])
    expect(JSON.parse(seen)).toMatchObject({ host: 'localhost:5000', 'x-forwarded-host': host, 'x-forwarded-proto': 'https' })
    const welcomed = await get(host, `/a?e2b-traffic-access-token=${token}`, { redirect: 'manual' })
    expect([welcomed.status, welcomed.headers.get('location')]).toEqual([302, '/a'])
    const [cookie = ''] = welcomed.headers.getSetCookie()
    expect(cookie).toMatch(/; HttpOnly; SameSite=Lax; Secure$/)
    const page = await get(host, '/a', { headers: { cookie: cookie.split(';')[0] ?? '' } })
    expect([page.status, (await page.text()).includes(token)]).toEqual([200, false])
    await restricted.kill()
  })
})

describe('R14 a sandbox that sleeps', () => {
  const lifecycle = { onTimeout: 'pause', autoResume: true } as const

  test('wakes for its public URL: two hundred requests at once are one waking, and a WebSocket waits as well', async () => {
    const sleeper = await Sandbox.create({ timeoutMs: 60_000, lifecycle })
    await sleeper.files.write('/home/user/echo.js', webSocketEcho)
    await serve(sleeper, 4000, 'node /home/user/echo.js')
    const host = await serve(sleeper, 4001, nodeServer(4001, '127.0.0.1', 'response.end("awake " + request.url)'))
    await sleeper.pause()
    const socket = new WebSocket(`wss://${sleeper.getHost(4000)}/`, { dispatcher })
    const greeting = message(socket)
    const answers = await Promise.all(Array.from({ length: 200 }, async (_, index) => (await get(host, `/${index}`)).text()))
    expect(answers).toEqual(Array.from({ length: 200 }, (_, index) => `awake /${index}`))
    expect(await greeting).toBe('hello')
    expect(world.events(sleeper.sandboxId).filter(({ name }) => name === 'resumed')).toHaveLength(1)
    await sleeper.kill()
    const gone = await get(host, '/', { headers: { accept: 'text/html' } })
    expect([gone.status, await gone.text()]).toEqual([502, expect.stringContaining('The sandbox was not found')])
  })
})
