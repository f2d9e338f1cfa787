import { agentPort } from '@torpor/contract'
import { describe, expect, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'

import { ask, later, newAddress, newRoute, open, routing, startEdge, startGuest } from './testing/world.ts'

describe('the activity of a sandbox', () => {
  test('is a stream as long as it flows', async () => {
    const parked = later<() => void>()
    await using guest = await startGuest((_, response) => {
      response.write('first')
      parked.resolve(() => response.end('last'))
    })
    await using world = await startEdge()
    const route = newRoute({ address: guest.address })
    world.routes.publish(route)
    expect(world.activity.of(route.sandboxId)).toBeUndefined()
    const answer = await open(world.port, { headers: routing(route, guest.port) })
    expect(world.activity.of(route.sandboxId)?.open).toBe(1)
    const release = await parked.promise
    release()
    for await (const _ of answer);
    await expect.poll(() => world.activity.of(route.sandboxId)?.open).toBe(0)
  })

  test('is a WebSocket until it closes', async () => {
    await using guest = await startGuest((_, response) => response.end())
    const sockets = new WebSocketServer({ server: guest.server })
    await using world = await startEdge()
    const route = newRoute({ address: guest.address })
    world.routes.publish(route)
    const client = new WebSocket(`ws://127.0.0.1:${world.port}/`, { headers: routing(route, guest.port) })
    await new Promise((resolve) => client.once('open', resolve))
    expect(world.activity.of(route.sandboxId)?.open).toBe(1)
    client.close()
    await expect.poll(() => world.activity.of(route.sandboxId)?.open).toBe(0)
    sockets.close()
  })

  test('is not a health probe of its agent, and nothing that was refused', async () => {
    await using guest = await startGuest((_, response) => response.end(), { port: agentPort })
    await using world = await startEdge()
    const open_ = newRoute({ address: guest.address })
    const restricted = newRoute({ address: newAddress(), trafficToken: 'pass' })
    const asleep = newRoute()
    for (const route of [open_, restricted, asleep]) world.routes.publish(route)
    expect((await ask(world.port, { path: '/health?x', headers: routing(open_, agentPort) })).status).toBe(200)
    expect((await ask(world.port, { path: '/init', headers: routing(open_, agentPort) })).status).toBe(404)
    expect((await ask(world.port, { headers: routing(restricted, 80) })).status).toBe(403)
    expect((await ask(world.port, { headers: routing(asleep, 80) })).status).toBe(502)
    for (const { sandboxId } of [open_, restricted, asleep]) expect(world.activity.of(sandboxId)).toBeUndefined()
    await ask(world.port, { path: '/envs', headers: routing(open_, agentPort) })
    expect(world.activity.of(open_.sandboxId)).toBeDefined()
  })

  test('is kept while it sleeps and forgotten with its route', async () => {
    await using guest = await startGuest((_, response) => void response.write('never ends'))
    await using world = await startEdge()
    const route = newRoute({ address: guest.address })
    world.routes.publish(route)
    const answer = await open(world.port, { headers: routing(route, guest.port) })
    answer.on('error', () => undefined)
    world.routes.suspend(route.sandboxId)
    await expect.poll(() => world.activity.of(route.sandboxId)?.open).toBe(0)
    world.routes.withdraw(route.sandboxId)
    expect(world.activity.of(route.sandboxId)).toBeUndefined()
  })
})
