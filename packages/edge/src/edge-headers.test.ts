import { expect, test } from 'vitest'

import { type Guest, ask, newRoute, open, routing, startEdge, startGuest } from './testing/world.ts'

/** Answers with the headers as they came, in order. */
const mirror = (): Promise<Guest> => startGuest((request, response) => response.end(JSON.stringify(request.rawHeaders)))

async function seenBy(guest: Guest, headers: readonly string[], maskRequestHost: string | null = null): Promise<string[]> {
  await using world = await startEdge()
  const route = newRoute({ address: guest.address, maskRequestHost })
  world.routes.publish(route)
  const routed = ['Host', 'sbx.example:1', ...headers, ...Object.entries(routing(route, guest.port)).flat()]
  const answer = await ask(world.port, { headers: routed })
  const seen: unknown = JSON.parse(answer.body)
  return Array.isArray(seen) ? seen.map(String) : []
}

test('a guest sees case, order and duplicates of headers as the client sent them', async () => {
  await using guest = await mirror()
  const sent = ['X-CaSe', '1', 'x-dup', 'a', 'Cookie', 'b=c;d=e', 'X-Dup', 'b', 'X-Latin', 'gr\u00fcn']
  const seen = await seenBy(guest, sent)
  const first = seen.indexOf('X-CaSe')
  expect(seen.slice(first, first + sent.length)).toEqual(sent)
})

test('a guest never sees the key of the operator, routing or hop-by-hop headers', async () => {
  await using guest = await mirror()
  const sent = ['X-API-KEY', 'operator', 'Connection', 'keep-alive, X-Named', 'X-Named', '1', 'Keep-Alive', 'timeout=1', 'TE', 'trailers']
  const names = (await seenBy(guest, sent)).filter((_, index) => index % 2 === 0).map((name) => name.toLowerCase())
  expect(names.sort()).toEqual(['connection', 'host', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto'])
})

test('a guest sees whom a request is from, whatever the client claims of protocol and host', async () => {
  await using guest = await mirror()
  const seen = await seenBy(guest, ['X-Forwarded-For', '203.0.113.9', 'X-Forwarded-Proto', 'gopher', 'X-Forwarded-Host', 'evil'])
  const value = (name: string): string | undefined => seen[seen.indexOf(name) + 1]
  expect(value('host')).toBe('sbx.example:1')
  expect(value('X-Forwarded-For')).toBe('203.0.113.9, 127.0.0.1')
  expect(value('X-Forwarded-Proto')).toBe('http')
  expect(value('X-Forwarded-Host')).toBe('sbx.example:1')
})

test('a guest sees that a proxy in front of the edge was asked over TLS', async () => {
  await using guest = await mirror()
  const seen = await seenBy(guest, ['X-Forwarded-Proto', 'https'])
  expect(seen.slice(seen.indexOf('X-Forwarded-Proto'))).toContain('https')
  expect(seen.filter((text) => text.toLowerCase() === 'x-forwarded-proto')).toHaveLength(1)
})

test('a guest sees the masked host instead, with its port put in', async () => {
  await using guest = await mirror()
  expect((await seenBy(guest, [], 'localhost:${PORT}')).slice(0, 2)).toEqual(['host', `localhost:${guest.port}`])
})

test('a client sees status, reason, case and duplicates of the answer as the guest sent them', async () => {
  await using guest = await startGuest((_, response) => {
    response.sendDate = false
    response.writeHead(418, 'Short And Stout', ['X-CaSe', '1', 'Set-Cookie', 'a', 'Set-Cookie', 'b', 'X-Hop', '1', 'Connection', 'x-hop'])
    response.end('x')
  })
  await using world = await startEdge()
  const route = newRoute({ address: guest.address })
  world.routes.publish(route)
  const answer = await open(world.port, { headers: routing(route, guest.port) })
  expect([answer.statusCode, answer.statusMessage]).toEqual([418, 'Short And Stout'])
  expect(answer.rawHeaders.slice(0, 6)).toEqual(['X-CaSe', '1', 'Set-Cookie', 'a', 'Set-Cookie', 'b'])
  expect(answer.headers).not.toHaveProperty('x-hop')
  answer.resume()
})

test('trailers reach the client', async () => {
  await using guest = await startGuest((_, response) => {
    response.writeHead(200, { Trailer: 'X-Sum' })
    response.write('body')
    response.addTrailers({ 'X-Sum': '42' })
    response.end()
  })
  await using world = await startEdge()
  const route = newRoute({ address: guest.address })
  world.routes.publish(route)
  const answer = await ask(world.port, { headers: routing(route, guest.port) })
  expect(answer).toMatchObject({ body: 'body', trailers: { 'x-sum': '42' } })
})

test.each([
  ['HEAD', 200, '5'],
  ['GET', 204, undefined],
  ['GET', 304, undefined],
])('an answer without a body stays one: %s %i', async (method, status, length) => {
  await using guest = await startGuest((_, response) => {
    response.writeHead(status, length === undefined ? {} : { 'Content-Length': length })
    response.end()
  })
  await using world = await startEdge()
  const route = newRoute({ address: guest.address })
  world.routes.publish(route)
  const answer = await ask(world.port, { method, headers: routing(route, guest.port) })
  expect(answer).toMatchObject({ status, body: '' })
  expect(answer.headers['content-length']).toBe(length)
  expect(answer.headers['transfer-encoding']).toBeUndefined()
})
