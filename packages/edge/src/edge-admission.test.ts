import { TorporError, agentPort, newSandboxId } from '@torpor/contract'
import { describe, expect, test, vi } from 'vitest'

import { signatureOf } from './signed-file.ts'
import { type Guest, ask, later, newAddress, newRoute, open, routing, startEdge, startGuest } from './testing/world.ts'
import type { Wake } from './wake-queue.ts'

const echoPath = (): Promise<Guest> => startGuest((request, response) => response.end(`guest ${request.url}`))

const agentGuest = (): Promise<Guest> => startGuest((request, response) => response.end(`agent ${request.url}`), { port: agentPort })

describe('a request finds its sandbox', () => {
  test('by routing headers and by host name, and everything else is the control plane', async () => {
    await using guest = await echoPath()
    await using world = await startEdge()
    const route = newRoute({ address: guest.address })
    world.routes.publish(route)
    expect(await ask(world.port, { path: '/a?b=c', headers: routing(route, guest.port) })).toMatchObject({
      status: 200,
      body: 'guest /a?b=c',
    })
    const host = `${guest.port}-${route.sandboxId}.sbx.localhost`
    expect((await ask(world.port, { path: '/x', headers: { host } })).body).toBe('guest /x')
    expect((await ask(world.port, { path: '/sandboxes' })).body).toBe('control plane')
  })

  test('on the agent by its token, or by the signature of a file', async () => {
    await using guest = await agentGuest()
    await using world = await startEdge()
    const route = newRoute({ address: guest.address, accessToken: 'secret' })
    world.routes.publish(route)
    expect((await ask(world.port, { path: '/envs', headers: { 'X-Access-Token': 'secret' } })).body).toBe('agent /envs')
    const signature = signatureOf({ path: 'a', operation: 'read', username: 'user', expiration: null }, 'secret')
    const path = `/files?username=user&path=a&signature=${encodeURIComponent(signature)}`
    expect((await ask(world.port, { path })).body).toBe(`agent ${path}`)
  })

  test('or is told with 401 that nobody has this token or signature', async () => {
    await using world = await startEdge()
    for (const asked of [{ path: '/envs', headers: { 'X-Access-Token': 'wrong' } }, { path: '/files?path=a&signature=v1_x' }]) {
      const answer = await ask(world.port, asked)
      expect(answer.status).toBe(401)
      expect(JSON.parse(answer.body)).toMatchObject({ code: 401 })
    }
  })

  test('or is told with 400 what is missing', async () => {
    await using world = await startEdge()
    expect(await ask(world.port, { headers: { 'E2b-Sandbox-Id': newSandboxId() } })).toMatchObject({ status: 400, body: 'missing header' })
    expect(JSON.parse((await ask(world.port, { path: '/files?path=a' })).body)).toMatchObject({ code: 400 })
  })

  test('or is told with 502 that the sandbox is not there', async () => {
    await using world = await startEdge()
    const route = newRoute()
    const answer = await ask(world.port, { headers: routing(route, 80) })
    expect(answer.status).toBe(502)
    expect(JSON.parse(answer.body)).toEqual({ sandboxId: route.sandboxId, message: 'The sandbox was not found', code: 502 })
  })
})

describe('a reserved path of the agent', () => {
  test.each(['/init', '//init', '/./init', '/%69nit', '/init/', 'http://x/init', '/freeze?x'])('never reaches it: %s', async (path) => {
    const called = vi.fn<() => void>()
    await using guest = await startGuest(called, { port: agentPort })
    await using world = await startEdge()
    const route = newRoute({ address: guest.address })
    world.routes.publish(route)
    expect((await ask(world.port, { method: 'POST', path, headers: routing(route, agentPort) })).status).toBe(404)
    expect(called).not.toHaveBeenCalled()
  })

  test('is an ordinary one on any other port', async () => {
    await using guest = await echoPath()
    await using world = await startEdge()
    const route = newRoute({ address: guest.address })
    world.routes.publish(route)
    expect((await ask(world.port, { path: '/init', headers: routing(route, guest.port) })).body).toBe('guest /init')
  })
})

describe('restricted public traffic', () => {
  test('passes only with the token, which the guest does not see', async () => {
    await using guest = await startGuest((request, response) => response.end(JSON.stringify(request.headers)))
    await using world = await startEdge()
    const route = newRoute({ address: guest.address, trafficToken: 'pass' })
    world.routes.publish(route)
    const get = (token?: string) =>
      ask(world.port, { headers: { ...routing(route, guest.port), ...(token !== undefined && { 'E2B-Traffic-Access-Token': token }) } })
    expect(await get()).toMatchObject({ status: 403, body: expect.stringContaining('missing') })
    expect(await get('wrong')).toMatchObject({ status: 403, body: expect.stringContaining('invalid') })
    const answer = await get('pass')
    expect(answer.status).toBe(200)
    expect(answer.body).not.toContain('pass')
  })

  test('does not concern the agent, which has a token of its own', async () => {
    await using guest = await agentGuest()
    await using world = await startEdge()
    const route = newRoute({ address: guest.address, trafficToken: 'pass' })
    world.routes.publish(route)
    expect((await ask(world.port, { path: '/files', headers: routing(route, agentPort) })).status).toBe(200)
  })

  test('is checked before a sleeping sandbox is woken', async () => {
    const wake = vi.fn<Wake>(async () => undefined)
    await using world = await startEdge({ wake })
    const route = newRoute({ trafficToken: 'pass' })
    world.routes.publish(route)
    expect((await ask(world.port, { headers: routing(route, 80) })).status).toBe(403)
    expect(wake).not.toHaveBeenCalled()
  })
})

describe('a sleeping sandbox', () => {
  test('is woken, and the request goes on to where it is then', async () => {
    await using guest = await startGuest((request, response) => void request.pipe(response))
    const route = newRoute()
    const wake = vi.fn<Wake>(async () => ({ ...route, address: guest.address }))
    await using world = await startEdge({ wake })
    world.routes.publish(route)
    const answer = await ask(world.port, { method: 'POST', body: 'hello', headers: routing(route, guest.port) })
    expect(answer).toMatchObject({ status: 200, body: 'hello' })
    expect(wake).toHaveBeenCalledExactlyOnceWith(route.sandboxId, { port: guest.port })
  })

  test('is not found when it will not wake', async () => {
    await using world = await startEdge()
    const route = newRoute()
    world.routes.publish(route)
    expect((await ask(world.port, { headers: routing(route, 80) })).status).toBe(502)
  })

  test.each([
    ['conflict', 409],
    ['exhausted', 429],
    ['timed_out', 504],
    ['not_found', 502],
    ['unavailable', 503],
  ] as const)('that fails to wake with %s answers %i', async (kind, status) => {
    const failure = new TorporError(kind, 'why', { retryAfterSeconds: 1.5 })
    await using world = await startEdge({ wake: () => Promise.reject(failure) })
    const route = newRoute()
    world.routes.publish(route)
    const answer = await ask(world.port, { headers: routing(route, 80) })
    expect(answer.status).toBe(status)
    expect(JSON.parse(answer.body)).toMatchObject({ code: status, sandboxId: route.sandboxId })
    expect(answer.headers['retry-after']).toBe(kind === 'not_found' ? undefined : '2')
  })

  test('tells nothing of an unexpected failure', async () => {
    await using world = await startEdge({ wake: () => Promise.reject(new Error('/host/path')) })
    const route = newRoute()
    world.routes.publish(route)
    const answer = await ask(world.port, { headers: routing(route, 80) })
    expect(answer.status).toBe(500)
    expect(answer.body).not.toContain('/host/path')
  })

  test.each(['GET', 'HEAD'])('sleeps on through a health probe of the agent: %s', async (method) => {
    const wake = vi.fn<Wake>(async () => undefined)
    await using world = await startEdge({ wake })
    const route = newRoute({ accessToken: 'secret' })
    world.routes.publish(route)
    const headers = { ...routing(route, agentPort), 'X-Access-Token': 'secret' }
    expect((await ask(world.port, { method, path: '/health', headers })).status).toBe(502)
    expect(wake).not.toHaveBeenCalled()
  })

  test('is woken on the port of its agent only by who has its token', async () => {
    await using guest = await agentGuest()
    const route = newRoute({ accessToken: 'secret' })
    const wake = vi.fn<Wake>(async () => ({ ...route, address: guest.address }))
    await using world = await startEdge({ wake })
    world.routes.publish(route)
    const get = (headers: Record<string, string>) =>
      ask(world.port, { path: '/envs', headers: { ...routing(route, agentPort), ...headers } })
    expect((await get({})).status).toBe(403)
    expect((await get({ 'X-Access-Token': 'wrong' })).status).toBe(403)
    expect(wake).not.toHaveBeenCalled()
    expect((await get({ 'X-Access-Token': 'secret' })).status).toBe(200)
  })

  test('that is withdrawn answers at once who waits for it', async () => {
    const asked = later<void>()
    await using world = await startEdge({
      wake: () => {
        asked.resolve()
        return new Promise(() => undefined)
      },
    })
    const route = newRoute()
    world.routes.publish(route)
    const answer = ask(world.port, { headers: routing(route, 80) })
    await asked.promise
    world.routes.withdraw(route.sandboxId)
    expect((await answer).status).toBe(502)
  })
})

describe('what the edge says itself', () => {
  test('is heard by a client that is in the middle of an upload', async () => {
    await using world = await startEdge()
    const answer = await ask(world.port, { method: 'POST', body: 'x'.repeat(20_000_000), headers: routing(newRoute(), 80) })
    expect(answer.status).toBe(502)
  })

  test('ends the connection when a client still waits for leave to send', async () => {
    await using world = await startEdge()
    const headers = { ...routing(newRoute(), 80), Expect: '100-continue', 'Content-Length': '9' }
    const answer = await ask(world.port, { method: 'POST', headers, body: '123456789' })
    expect([answer.status, answer.headers.connection]).toEqual([502, 'close'])
  })

  test('is a page for a person in front of a browser', async () => {
    await using world = await startEdge()
    const route = newRoute()
    const browser = { 'User-Agent': 'Mozilla/5.0', Accept: 'text/html,*/*' }
    const answer = await ask(world.port, { headers: { ...routing(route, 80), ...browser } })
    expect(answer.headers['content-type']).toBe('text/html; charset=utf-8')
    expect(answer.body).toContain(`<code>${route.sandboxId}</code>`)
    expect(answer.body).toContain('It has ended, its id is misspelt')
    expect(answer.body).not.toContain('http-equiv')
    const script = await ask(world.port, { headers: { ...routing(route, 80), 'User-Agent': 'Mozilla/5.0' } })
    expect(script.headers['content-type']).toBe('application/json')
  })

  test('names the port that nobody listens on', async () => {
    await using guest = await echoPath()
    await using world = await startEdge()
    const route = newRoute({ address: newAddress() })
    world.routes.publish(route)
    const answer = await ask(world.port, { headers: routing(route, guest.port) })
    expect(answer.status).toBe(502)
    expect(JSON.parse(answer.body)).toEqual({
      sandboxId: route.sandboxId,
      message: 'The sandbox is running but port is not open',
      port: guest.port,
      code: 502,
    })
  })

  test('is 429 when too many requests of one sandbox are in progress, until one ends', async () => {
    const parked = later<() => void>()
    await using guest = await startGuest((request, response) => {
      if (request.url === '/slow') parked.resolve(() => response.end())
      else response.end()
    })
    await using world = await startEdge({ limits: { requestsPerSandbox: 1 } })
    const route = newRoute({ address: guest.address })
    world.routes.publish(route)
    const slow = open(world.port, { path: '/slow', headers: routing(route, guest.port) })
    const release = await parked.promise
    expect((await ask(world.port, { headers: routing(route, guest.port) })).status).toBe(429)
    release()
    for await (const _ of await slow);
    await expect.poll(async () => (await ask(world.port, { headers: routing(route, guest.port) })).status).toBe(200)
  })
})
