import { agentPort } from '@torpor/contract'
import { describe, expect, test } from 'vitest'

import { type Asked, type Guest, ask, newRoute, startEdge, startGuest } from './testing/world.ts'

const name = 'e2b-traffic-access-token'
const token = 'c0ffee'

const startEcho = (): Promise<Guest> =>
  startGuest((request, response) => response.end(JSON.stringify({ url: request.url, cookie: request.headers.cookie ?? null })))

/** A world with one restricted sandbox, asked by its host name. */
async function startRestricted(guest: Guest) {
  const world = await startEdge()
  const route = newRoute({ address: guest.address, trafficToken: token })
  world.routes.publish(route)
  const host = `${guest.port}-${route.sandboxId}.sbx.localhost`
  const get = (path: string, headers: Record<string, string> = {}, asked: Asked = {}) =>
    ask(world.port, { ...asked, path, headers: { host, ...headers } })
  return { ...world, get, route }
}

describe('a browser in front of a restricted sandbox', () => {
  test('brings the token in the query once, and gets a cookie and the address without it', async () => {
    await using guest = await startEcho()
    await using world = await startRestricted(guest)
    const answer = await world.get(`/a%20b?x=1&${name}=${token}&y=2`)
    expect([answer.status, answer.headers.location]).toEqual([302, '/a%20b?x=1&y=2'])
    expect(answer.headers['set-cookie']).toEqual([`${name}=${token}; Path=/; HttpOnly; SameSite=Lax`])
    expect(answer.headers).toMatchObject({ 'cache-control': 'no-store', 'referrer-policy': 'no-referrer' })
    const proxied = await world.get(`/?${name}=${token}`, { 'X-Forwarded-Proto': 'https' })
    expect([proxied.headers.location, proxied.headers['set-cookie']?.[0]]).toEqual(['/', expect.stringContaining('; Secure')])
  })

  test('enters with the cookie, which the sandbox does not see', async () => {
    await using guest = await startEcho()
    await using world = await startRestricted(guest)
    const both = await world.get('/page', { cookie: `theirs=1; ${name}=${token}; other=2` })
    expect([both.status, JSON.parse(both.body)]).toEqual([200, { url: '/page', cookie: 'theirs=1; other=2' }])
    const alone = await world.get('/page', { cookie: `${name}=${token}` })
    expect(JSON.parse(alone.body)).toEqual({ url: '/page', cookie: null })
  })

  test.each([
    ['a wrong one in the query', `/?${name}=wrong`, {}],
    ['a wrong cookie', '/', { cookie: `${name}=wrong` }],
    ['a cookie of a similar name', '/', { cookie: `x${name}=${token}` }],
  ])('is refused with %s', async (_, path, headers) => {
    await using guest = await startEcho()
    await using world = await startRestricted(guest)
    expect((await world.get(path, headers)).status).toBe(403)
  })

  test.each(['//evil.test/', '/\\evil.test'])('is not sent to another host by %s', async (path) => {
    await using guest = await startEcho()
    await using world = await startRestricted(guest)
    const { location = '' } = (await world.get(`${path}?${name}=${token}`)).headers
    expect(new URL(location, 'https://sandbox.test/').host).toBe('sandbox.test')
  })
})

describe('the token in the query', () => {
  test('lets nothing in that is no plain request for a page', async () => {
    await using guest = await startEcho()
    await using world = await startRestricted(guest)
    expect((await world.get(`/?${name}=${token}`, {}, { method: 'POST', body: 'x' })).status).toBe(403)
  })

  test('is left alone where nothing is restricted, and on the agent', async () => {
    await using guest = await startGuest((request, response) => response.end(request.url), { port: agentPort })
    await using world = await startEdge()
    const route = newRoute({ address: guest.address })
    world.routes.publish(route)
    const host = `${agentPort}-${route.sandboxId}.sbx.localhost`
    expect((await ask(world.port, { path: `/envs?${name}=x`, headers: { host } })).body).toBe(`/envs?${name}=x`)
  })
})
