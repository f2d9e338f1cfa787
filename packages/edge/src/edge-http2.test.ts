import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { type ClientHttp2Session, type ClientHttp2Stream, type OutgoingHttpHeaders, connect, constants, createServer } from 'node:http2'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import { agentPort } from '@torpor/contract'
import { describe, expect, test } from 'vitest'

import { collect, later, newAddress, newRoute, routing, startEdge, startGuest } from './testing/world.ts'

/** An edge behind a server of HTTP/2, and a client connected to it. */
async function startHttp2() {
  const world = await startEdge()
  const server = createServer({ strictSingleValueFields: false }, (request, response) => {
    if (world.edge.match(request)) world.edge.handle(request, response)
    else response.end('control plane')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const client = connect(`http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`)
  const dispose = async (): Promise<void> => {
    client.destroy()
    await world[Symbol.asyncDispose]()
    server.close()
  }
  return { ...world, client, [Symbol.asyncDispose]: dispose }
}

interface Answered {
  readonly status: number | undefined
  readonly headers: Readonly<Record<string, string | string[] | number | undefined>>
  readonly body: string
}

async function ask(client: ClientHttp2Session, headers: OutgoingHttpHeaders, body?: string | Buffer): Promise<Answered> {
  const stream = client.request(headers, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  return answerOf(stream)
}

async function answerOf(stream: ClientHttp2Stream): Promise<Answered> {
  const [headers] = await once(stream, 'response')
  return { status: headers[':status'], headers, body: await collect(stream) }
}

describe('over HTTP/2', () => {
  test('a request finds its sandbox by host name or headers, and brings what the client sent', async () => {
    await using guest = await startGuest((request, response) => {
      void collect(request).then((body) => response.end(JSON.stringify({ url: request.url, headers: request.headers, body })))
    })
    await using world = await startHttp2()
    const route = newRoute({ address: guest.address })
    world.routes.publish(route)
    const host = `${guest.port}-${route.sandboxId}.sbx.localhost:3443`
    const asked = { ':authority': host, ':path': '/a?b', ':method': 'POST', cookie: ['a=1', 'b=2'], te: 'trailers', 'x-own': 'kept' }
    const answer = await ask(world.client, asked, 'body')
    expect(answer.status).toBe(200)
    const seen = JSON.parse(answer.body)
    expect(seen).toMatchObject({ url: '/a?b', body: 'body', headers: { host, cookie: 'a=1; b=2', 'x-own': 'kept' } })
    expect(seen.headers).toMatchObject({ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-proto': 'http', 'x-forwarded-host': host })
    expect(Object.keys(seen.headers).filter((name) => name.startsWith(':') || name === 'te')).toEqual([])
    expect((await ask(world.client, { ':path': '/x', ...routing(route, guest.port) })).body).toContain('"/x"')
    expect((await ask(world.client, { ':path': '/sandboxes' })).body).toBe('control plane')
  })

  test('an answer keeps its headers, repeated and odd ones too, but none of its connection', async () => {
    await using guest = await startGuest((_, response) => {
      const headers = [
        ['Set-Cookie', 'a=1'],
        ['Set-Cookie', 'b=2'],
        ['X-Odd', 'caf\u00e9'],
        ['Content-Type', 'a/b'],
        ['Content-Type', 'c/d'],
        ['Connection', 'X-Hop'],
        ['X-Hop', 'gone'],
        ['Keep-Alive', 'timeout=5'],
      ]
      response.writeHead(201, headers.flat()).end('made')
    })
    await using world = await startHttp2()
    const route = newRoute({ address: guest.address })
    world.routes.publish(route)
    const answer = await ask(world.client, routing(route, guest.port))
    expect([answer.status, answer.body, answer.headers['set-cookie']]).toEqual([201, 'made', ['a=1', 'b=2']])
    expect(Buffer.from(String(answer.headers['x-odd']), 'latin1').length).toBeGreaterThan(3)
    expect(Object.keys(answer.headers)).not.toContain('x-hop')
    expect(Object.keys(answer.headers)).not.toContain('keep-alive')
  })

  test('a HEAD has its length and no body; an answer without a body ends', async () => {
    await using guest = await startGuest((request, response) => {
      if (request.method === 'HEAD') response.writeHead(200, { 'Content-Length': '9' }).end()
      else response.writeHead(204).end()
    })
    await using world = await startHttp2()
    const route = newRoute({ address: guest.address })
    world.routes.publish(route)
    const head = await ask(world.client, { ':method': 'HEAD', ...routing(route, guest.port) })
    expect([head.status, head.headers['content-length'], head.body]).toEqual([200, '9', ''])
    expect((await ask(world.client, { ':method': 'DELETE', ...routing(route, guest.port) })).status).toBe(204)
    expect((await ask(world.client, { ':method': 'HEAD', ...routing(newRoute(), 80) })).status).toBe(502)
  })

  test('trailers arrive after the body', async () => {
    await using guest = await startGuest((_, response) => {
      response.writeHead(200, { Trailer: 'X-Sum' })
      response.write('body')
      response.addTrailers({ 'X-Sum': '42' })
      response.end()
    })
    await using world = await startHttp2()
    const route = newRoute({ address: guest.address })
    world.routes.publish(route)
    const stream = world.client.request(routing(route, guest.port))
    const trailers = once(stream, 'trailers')
    expect((await answerOf(stream)).body).toBe('body')
    expect((await trailers)[0]).toMatchObject({ 'x-sum': '42' })
  })

  test('events flow one by one, and end in the sandbox when the client leaves', async () => {
    const gone = later<void>()
    await using guest = await startGuest((request, response) => {
      request.once('close', () => gone.resolve())
      response.write('data: 1\n\n')
    })
    await using world = await startHttp2()
    const route = newRoute({ address: guest.address })
    world.routes.publish(route)
    const stream = world.client.request(routing(route, guest.port))
    expect(String((await once(stream, 'data'))[0])).toBe('data: 1\n\n')
    stream.close(constants.NGHTTP2_CANCEL)
    await gone.promise
    await expect.poll(() => world.activity.of(route.sandboxId)?.open).toBe(0)
  })

  test('a stream breaks off with its sandbox, and only that stream', async () => {
    await using guest = await startGuest((_, response) => void response.write('part'))
    await using world = await startHttp2()
    const [first, second] = [newRoute({ address: guest.address }), newRoute({ address: newAddress() })]
    world.routes.publish(first)
    world.routes.publish(second)
    const stream = world.client.request(routing(first, guest.port))
    await once(stream, 'data')
    const failure = once(stream, 'error')
    world.routes.suspend(first.sandboxId)
    expect(String((await failure)[0])).toContain('NGHTTP2_INTERNAL_ERROR')
    expect((await ask(world.client, routing(second, guest.port))).body).toContain('port is not open')
  })

  test('50 MB go in and come out whole', async () => {
    await using guest = await startGuest((request, response) => void request.pipe(response))
    await using world = await startHttp2()
    const route = newRoute({ address: guest.address })
    world.routes.publish(route)
    const sent = Array.from({ length: 50 }, (_, index) => Buffer.alloc(1024 * 1024, index))
    const stream = world.client.request({ ':method': 'POST', ...routing(route, guest.port) })
    const hash = createHash('sha256')
    await Promise.all([pipeline(Readable.from(sent), stream), pipeline(stream, hash)])
    expect(hash.digest('hex')).toBe(createHash('sha256').update(Buffer.concat(sent)).digest('hex'))
  })

  test('a refusal is heard by a client that is in the middle of an upload', async () => {
    await using world = await startHttp2()
    const answer = await ask(world.client, { ':method': 'POST', ...routing(newRoute(), 80) }, Buffer.alloc(5_000_000))
    expect([answer.status, JSON.parse(answer.body)]).toMatchObject([502, { code: 502 }])
  })

  test('what is reserved on the agent stays so', async () => {
    await using world = await startHttp2()
    const route = newRoute({ address: newAddress() })
    world.routes.publish(route)
    expect((await ask(world.client, { ':method': 'POST', ':path': '//init', ...routing(route, agentPort) }, '{}')).status).toBe(404)
  })
})
