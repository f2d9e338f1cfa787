import { once } from 'node:events'
import { request as send } from 'node:http'

import { type Route, agentPort } from '@torpor/contract'
import { describe, expect, test, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

import type { EdgeLimits } from './limits.ts'
import { ask, later, newRoute, open, routing, startEdge, startGuest } from './testing/world.ts'
import type { Wake } from './wake-queue.ts'

const mebibyte = 1024 * 1024

/** A world with one sleeping sandbox, whose waking the test ends. */
async function startSleeping(limits: Partial<EdgeLimits> = {}, route: Route = newRoute()) {
  const waking = later<Route | undefined>()
  const asked = later<void>()
  const wake = vi.fn<Wake>(() => {
    asked.resolve()
    return waking.promise
  })
  const world = await startEdge({ wake, limits })
  world.routes.publish(route)
  const wakeUp = (address: string): void => {
    world.routes.publish({ ...route, address })
    waking.resolve({ ...route, address })
  }
  return { ...world, route, wake, asked: asked.promise, wakeUp }
}

describe('requests for a sleeping sandbox', () => {
  test('two hundred at once are one waking and all answered, with what they sent', async () => {
    await using guest = await startGuest((request, response) => void request.pipe(response))
    await using world = await startSleeping()
    const headers = routing(world.route, guest.port)
    const bodies = Array.from({ length: 200 }, (_, index) => `body ${index}`)
    const answers = bodies.map((body) => ask(world.port, { method: 'POST', body, headers }))
    await world.asked
    world.wakeUp(guest.address)
    expect((await Promise.all(answers)).map(({ status, body }) => `${status} ${body}`)).toEqual(bodies.map((body) => `200 ${body}`))
    expect(world.wake).toHaveBeenCalledOnce()
  })

  test('are answered with 504 when it takes too long, and go on in time when it is awake later', async () => {
    await using guest = await startGuest((_, response) => response.end('awake'))
    await using world = await startSleeping({ wakeTimeoutMilliseconds: 50 })
    const headers = routing(world.route, guest.port)
    const answer = await ask(world.port, { headers })
    expect([answer.status, JSON.parse(answer.body)]).toEqual([
      504,
      {
        sandboxId: world.route.sandboxId,
        message: 'The sandbox is still waking up after 0.05 s. Try again in a moment.',
        code: 504,
      },
    ])
    const page = await ask(world.port, { headers: { ...headers, 'User-Agent': 'Mozilla/5.0', Accept: 'text/html' } })
    expect([page.status, page.body]).toEqual([504, expect.stringContaining('<h1>The sandbox is still waking up')])
    expect(page.body).toContain('<meta http-equiv="refresh" content="5">')
    expect(world.wake).toHaveBeenCalledOnce()
    world.wakeUp(guest.address)
    expect(await ask(world.port, { headers })).toMatchObject({ status: 200, body: 'awake' })
  })

  test('are refused with 429 when too many wait; who leaves frees its place', async () => {
    await using guest = await startGuest((_, response) => response.end())
    await using world = await startSleeping({ waitingPerSandbox: 1 })
    const headers = routing(world.route, guest.port)
    const first = send({ host: '127.0.0.1', port: world.port, headers, agent: false })
    first.on('error', () => undefined).end()
    await world.asked
    const refused = await ask(world.port, { headers })
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '1'])
    first.destroy()
    // The freed place is one that the next request takes: it waits, where it was refused before.
    const second = await vi.waitFor(async () => {
      const attempt = ask(world.port, { headers })
      const status = await Promise.race([attempt.then((answer) => answer.status), once(AbortSignal.timeout(50), 'abort')])
      expect(status).not.toBe(429)
      return { attempt }
    }, 10_000)
    world.wakeUp(guest.address)
    expect((await second.attempt).status).toBe(200)
  })

  test('have their bodies wait on the side of the client', async () => {
    let received = 0
    await using guest = await startGuest((request, response) => {
      request.on('data', (chunk: Buffer) => (received += chunk.length)).on('end', () => response.end(String(received)))
    })
    await using world = await startSleeping()
    const upload = send({ host: '127.0.0.1', port: world.port, method: 'POST', headers: routing(world.route, guest.port), agent: false })
    const answer = once(upload, 'response')
    let taken = 0
    for (let count = 0; count < 64; count += 1) upload.write(Buffer.alloc(mebibyte), () => (taken += mebibyte))
    upload.end()
    await world.asked
    // The pipes fill up, then nothing moves: two looks in a row see the same.
    let seen = -1
    while (seen !== taken) {
      seen = taken
      await once(AbortSignal.timeout(100), 'abort')
    }
    expect(taken).toBeLessThan(16 * mebibyte)
    world.wakeUp(guest.address)
    const [response] = await answer
    let text = ''
    for await (const chunk of response) text += String(chunk)
    expect(Number(text)).toBe(64 * mebibyte)
  })

  test('on the stream of a command, too, wait and then flow', async () => {
    await using guest = await startGuest((_, response) => response.end('stream'), { port: agentPort })
    await using world = await startSleeping({}, newRoute({ accessToken: 'secret' }))
    const headers = { ...routing(world.route, agentPort), 'X-Access-Token': 'secret', 'Content-Type': 'application/connect+json' }
    const answer = ask(world.port, { method: 'POST', path: '/process.Process/Start', body: '{}', headers })
    await world.asked
    world.wakeUp(guest.address)
    expect(await answer).toMatchObject({ status: 200, body: 'stream' })
  })
})

describe('a WebSocket to a sleeping sandbox', () => {
  test('waits and then opens', async () => {
    await using guest = await startGuest((_, response) => response.end())
    const sockets = new WebSocketServer({ server: guest.server })
    sockets.on('connection', (socket) => socket.send('hello'))
    await using world = await startSleeping()
    const client = new WebSocket(`ws://127.0.0.1:${world.port}/`, { headers: routing(world.route, guest.port) })
    const message = once(client, 'message')
    await world.asked
    world.wakeUp(guest.address)
    expect(String((await message)[0])).toBe('hello')
    client.terminate()
    sockets.close()
  })

  test('is answered with 504 when that takes too long', async () => {
    await using world = await startSleeping({ wakeTimeoutMilliseconds: 50 })
    const answer = await open(world.port, {
      headers: { ...routing(world.route, 80), Connection: 'Upgrade', Upgrade: 'websocket' },
    })
    expect([answer.statusCode, answer.headers.connection]).toEqual([504, 'close'])
  })

  test.each(['closes', 'breaks'])('frees its place when the client %s the connection', async (how) => {
    await using guest = await startGuest((_, response) => response.end())
    await using world = await startSleeping({ requestsPerSandbox: 1 })
    const headers = routing(world.route, guest.port)
    const client = send({
      host: '127.0.0.1',
      port: world.port,
      headers: { ...headers, Connection: 'Upgrade', Upgrade: 'websocket' },
      agent: false,
    })
    client.on('error', () => undefined).end()
    await world.asked
    expect((await ask(world.port, { headers })).status).toBe(429)
    if (how === 'closes') client.socket?.end()
    else client.socket?.resetAndDestroy()
    const answer = await vi.waitFor(async () => {
      const attempt = ask(world.port, { headers })
      const status = await Promise.race([attempt.then(({ status }) => status), once(AbortSignal.timeout(50), 'abort')])
      expect(status).not.toBe(429)
      return { attempt }
    }, 10_000)
    world.wakeUp(guest.address)
    expect((await answer.attempt).status).toBe(200)
  })
})
