import { once } from 'node:events'
import { type Duplex } from 'node:stream'

import { agentPort } from '@torpor/contract'
import { describe, expect, test, vi } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

import { type Guest, collect, later, newRoute, open, routing, startEdge, startGuest } from './testing/world.ts'

interface SocketGuest extends Guest {
  readonly sockets: WebSocketServer
}

async function startEcho(): Promise<SocketGuest> {
  const guest = await startGuest((_, response) => response.end())
  const sockets = new WebSocketServer({ server: guest.server })
  sockets.on('connection', (socket) => socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })))
  const dispose = async (): Promise<void> => {
    sockets.clients.forEach((client) => client.terminate())
    await guest[Symbol.asyncDispose]()
  }
  return { ...guest, sockets, [Symbol.asyncDispose]: dispose }
}

async function worldWith(guest: Guest, route = newRoute({ address: guest.address })) {
  const world = await startEdge()
  world.routes.publish(route)
  return { ...world, route, headers: routing(route, guest.port) }
}

const upgradeHeaders = { Connection: 'Upgrade', Upgrade: 'echo' }

describe('a WebSocket', () => {
  test('passes messages of any size both ways', async () => {
    await using guest = await startEcho()
    await using world = await worldWith(guest)
    const client = new WebSocket(`ws://127.0.0.1:${world.port}/x`, { headers: world.headers })
    await once(client, 'open')
    for (const message of [Buffer.from('hello'), Buffer.alloc(5_000_000, 7)]) {
      client.send(message)
      const [data] = await once(client, 'message')
      expect(message.equals(data)).toBe(true)
    }
    client.close(1000)
    expect((await once(client, 'close'))[0]).toBe(1000)
  })

  test('is found by host name', async () => {
    await using guest = await startEcho()
    await using world = await worldWith(guest)
    const Host = `${guest.port}-${world.route.sandboxId}.sbx.localhost:3443`
    const client = new WebSocket(`ws://127.0.0.1:${world.port}/`, { headers: { Host } })
    await once(client, 'open')
    expect(client.readyState).toBe(WebSocket.OPEN)
    client.terminate()
  })

  test('ends with its sandbox, on both sides', async () => {
    await using guest = await startEcho()
    await using world = await worldWith(guest)
    const inside = later<WebSocket>()
    guest.sockets.once('connection', (socket) => inside.resolve(socket))
    const client = new WebSocket(`ws://127.0.0.1:${world.port}/`, { headers: world.headers })
    await once(client, 'open')
    const [closedInside, closedOutside] = [once(await inside.promise, 'close'), once(client, 'close')]
    world.routes.suspend(world.route.sandboxId)
    expect((await closedOutside)[0]).toBe(1006)
    await closedInside
  })

  test('ends in the sandbox when the client vanishes, and counts no more', async () => {
    await using guest = await startEcho()
    await using world = await startEdge({ limits: { requestsPerSandbox: 1 } })
    const route = newRoute({ address: guest.address })
    world.routes.publish(route)
    const headers = routing(route, guest.port)
    const inside = later<WebSocket>()
    guest.sockets.once('connection', (socket) => inside.resolve(socket))
    const client = new WebSocket(`ws://127.0.0.1:${world.port}/`, { headers })
    await once(client, 'open')
    const closed = once(await inside.promise, 'close')
    expect((await open(world.port, { headers })).statusCode).toBe(429)
    client.terminate()
    await closed
    await expect.poll(async () => (await open(world.port, { headers })).statusCode).toBe(200)
  })
})

describe('any other upgrade', () => {
  test('passes bytes both ways, those that came early first', async () => {
    await using guest = await startGuest((_, response) => response.end())
    guest.server.on('upgrade', (_, socket: Duplex, head: Buffer) => {
      socket.write('HTTP/1.1 101 Go On\r\nConnection: Upgrade\r\nUpgrade: echo\r\nX-CaSe: kept\r\n\r\nearly ')
      socket.unshift(head)
      socket.pipe(socket)
    })
    await using world = await worldWith(guest)
    const { socket, answer } = await upgraded(world.port, { ...world.headers, ...upgradeHeaders })
    expect(answer.rawHeaders).toContain('X-CaSe')
    socket.end('late')
    expect(await collect(socket)).toBe('early late')
  })

  test('that the guest refuses gets the guest’s answer, and leads nowhere else', async () => {
    await using guest = await startGuest((_, response) => response.writeHead(403, { 'X-Why': 'no' }).end('refused'))
    await using world = await worldWith(guest)
    const answer = await open(world.port, { headers: { ...world.headers, ...upgradeHeaders } })
    expect([answer.statusCode, answer.headers['x-why'], answer.headers.connection]).toEqual([403, 'no', 'close'])
    expect(await collect(answer)).toBe('refused')
  })

  test('is refused where nobody listens', async () => {
    await using guest = await startGuest((_, response) => response.end())
    await using world = await worldWith(guest)
    await guest[Symbol.asyncDispose]()
    const answer = await open(world.port, { headers: { ...world.headers, ...upgradeHeaders } })
    expect([answer.statusCode, answer.headers.connection]).toEqual([502, 'close'])
    expect(await collect(answer)).toContain('port is not open')
  })

  test('is refused on the port of the agent, which it would lay open', async () => {
    const called = vi.fn<() => void>()
    await using guest = await startGuest(called, { port: agentPort })
    await using world = await worldWith(guest)
    const answer = await open(world.port, { headers: { ...world.headers, Connection: 'Upgrade', Upgrade: 'h2c' } })
    expect(answer.statusCode).toBe(400)
    expect(called).not.toHaveBeenCalled()
  })

  test('is refused with a body, of which nobody would know the end', async () => {
    await using guest = await startEcho()
    await using world = await worldWith(guest)
    const answer = await open(world.port, { method: 'POST', body: 'x', headers: { ...world.headers, ...upgradeHeaders } })
    expect(answer.statusCode).toBe(400)
  })

  test('that cannot be is an ordinary request, if the server asks first', async () => {
    await using guest = await startGuest((request, response) => void request.pipe(response), { port: agentPort })
    await using world = await startEdge({ ignoresUpgrades: true })
    const route = newRoute({ address: guest.address })
    world.routes.publish(route)
    const headers = { ...routing(route, agentPort), Connection: 'Upgrade, HTTP2-Settings', Upgrade: 'h2c', 'HTTP2-Settings': 'AAA' }
    const answer = await open(world.port, { method: 'POST', path: '/files', body: 'body', headers })
    expect([answer.statusCode, await collect(answer)]).toEqual([200, 'body'])
  })

  test('needs the traffic token like any request', async () => {
    await using guest = await startEcho()
    await using world = await worldWith(guest, newRoute({ address: guest.address, trafficToken: 'pass' }))
    const answer = await open(world.port, { headers: { ...world.headers, ...upgradeHeaders } })
    expect(answer.statusCode).toBe(403)
  })
})

async function upgraded(port: number, headers: Record<string, string>) {
  const { request } = await import('node:http')
  const asked = request({ host: '127.0.0.1', port, headers, agent: false })
  asked.end()
  const [answer, socket, head] = await once(asked, 'upgrade')
  socket.unshift(head)
  return { answer, socket }
}
