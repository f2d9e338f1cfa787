import { once } from 'node:events'
import { connect } from 'node:net'

import { type Route, agentPort } from '@torpor/contract'
import { describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

import { dial } from './dial.ts'
import { type Guest, ask, newAddress, newRoute, routing, startEdge, startGuest } from './testing/world.ts'

/** An agent that forwards to `loopback`, which stands for the loopback of its sandbox; notes what it was asked. */
async function startAgent(loopback: string): Promise<Guest & { readonly asked: string[] }> {
  const asked: string[] = []
  const agent = await startGuest((_, response) => response.writeHead(404).end(), { port: agentPort })
  agent.server.on('upgrade', (request, socket) => {
    asked.push(`${request.url} ${String(request.headers['x-access-token'])}`)
    const server = connect(Number(new URL(request.url ?? '', 'http://agent').searchParams.get('port')), loopback, () => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: torpor-forward\r\n\r\n')
      socket.pipe(server).pipe(socket)
    })
    server.on('error', () => socket.end('HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n'))
    socket.on('error', () => server.destroy())
  })
  return { ...agent, asked }
}

async function worldWith(agent: Guest, given: Partial<Route> = {}) {
  const world = await startEdge()
  const route = newRoute({ address: agent.address, ...given })
  world.routes.publish(route)
  return { ...world, route }
}

describe('a server on the loopback of its sandbox', () => {
  test('is reached through the agent, with its token, and the connection is used again', async () => {
    await using server = await startGuest((request, response) => response.end(`inside ${request.url}`))
    await using agent = await startAgent(server.address)
    await using world = await worldWith(agent, { accessToken: 'secret' })
    const headers = routing(world.route, server.port)
    expect(await ask(world.port, { path: '/a', headers })).toMatchObject({ status: 200, body: 'inside /a' })
    expect(await ask(world.port, { path: '/b', headers })).toMatchObject({ status: 200, body: 'inside /b' })
    expect(agent.asked).toEqual([`/forward?port=${server.port} secret`])
  })

  test('is reached by WebSockets', async () => {
    await using server = await startGuest((_, response) => response.end())
    const sockets = new WebSocketServer({ server: server.server })
    sockets.on('connection', (socket) => socket.send('hello'))
    await using agent = await startAgent(server.address)
    await using world = await worldWith(agent)
    const client = new WebSocket(`ws://127.0.0.1:${world.port}/`, { headers: routing(world.route, server.port) })
    expect(String((await once(client, 'message'))[0])).toBe('hello')
    client.terminate()
    sockets.close()
  })

  test('is not asked for where a server listens for the outside', async () => {
    await using agent = await startAgent('127.0.0.1')
    await using server = await startGuest((_, response) => response.end('outside'), { address: agent.address })
    await using world = await worldWith(agent)
    expect((await ask(world.port, { headers: routing(world.route, server.port) })).body).toBe('outside')
    expect(agent.asked).toEqual([])
  })
})

describe('a port that nobody listens on', () => {
  test('is closed when the agent finds nobody, or knows no forwarding', async () => {
    await using forwarding = await startAgent(newAddress())
    await using old = await startGuest((_, response) => response.writeHead(404).end(), { port: agentPort })
    for (const agent of [forwarding, old]) {
      await using world = await worldWith(agent)
      const answer = await ask(world.port, { headers: routing(world.route, 9) })
      expect(JSON.parse(answer.body)).toMatchObject({ code: 502, port: 9, message: 'The sandbox is running but port is not open' })
    }
  })

  test('is closed when the agent does not answer in time', async () => {
    await using agent = await startGuest(() => undefined, { port: agentPort })
    await expect(dial(newRoute({ address: agent.address }), 9, 50)).rejects.toMatchObject({ code: 'ETIMEDOUT' })
  })
})
