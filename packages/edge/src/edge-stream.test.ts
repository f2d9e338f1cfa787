import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, type ServerResponse, request as send } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { pipeline } from 'node:stream/promises'

import { describe, expect, test } from 'vitest'

import { type Guest, ask, collect, later, newRoute, open, routing, startEdge, startGuest } from './testing/world.ts'

const megabyte = 1024 * 1024

function* megabytes(count: number): Generator<Buffer> {
  for (let index = 0; index < count; index++) yield Buffer.alloc(megabyte, index)
}

/** Counts what has left the sender and not reached the receiver: what somebody between them holds. */
class Between {
  received = 0
  most = 0
  #sent = 0

  async *sent(chunks: Iterable<Buffer>): AsyncGenerator<Buffer> {
    for (const chunk of chunks) {
      this.#sent += chunk.length
      this.most = Math.max(this.most, this.#sent - this.received)
      yield chunk
    }
  }

  async receive(stream: AsyncIterable<Buffer>): Promise<number> {
    for await (const chunk of stream) this.received += chunk.length
    return this.received
  }
}

async function lengthOf(stream: AsyncIterable<Buffer>): Promise<number> {
  let length = 0
  for await (const chunk of stream) length += chunk.length
  return length
}

async function worldWith(guest: Guest) {
  const world = await startEdge()
  const route = newRoute({ address: guest.address })
  world.routes.publish(route)
  return { ...world, route, headers: routing(route, guest.port) }
}

/** A request whose body is still to be written. */
function start(port: number, headers: Record<string, string>, method = 'POST'): ClientRequest {
  return send({ host: '127.0.0.1', port, method, headers, agent: false })
}

async function answerOf(asked: ClientRequest): Promise<IncomingMessage> {
  const { promise, resolve, reject } = later<IncomingMessage>()
  asked.once('response', resolve).once('error', reject)
  return promise
}

describe('an answer', () => {
  test('reaches the client piece by piece, headers first, before it ends', async () => {
    const guests = later<ServerResponse>()
    await using guest = await startGuest((_, response) => {
      response.flushHeaders()
      guests.resolve(response)
    })
    await using world = await worldWith(guest)
    const answer = await open(world.port, { headers: world.headers })
    const response = await guests.promise
    for (const event of ['data: 1\n\n', 'data: 2\n\n']) {
      response.write(event)
      const [chunk] = await once(answer, 'data')
      expect(String(chunk)).toBe(event)
    }
    response.end()
    await once(answer, 'end')
  })

  test('of 100 MB arrives whole, and never more than a few MB of it are on the way', async () => {
    const between = new Between()
    await using guest = await startGuest((_, response) => void pipeline(between.sent(megabytes(100)), response).catch(() => undefined))
    await using world = await worldWith(guest)
    expect(await between.receive(await open(world.port, { headers: world.headers }))).toBe(100 * megabyte)
    expect(between.most).toBeLessThan(25 * megabyte)
  })

  test('waits for a client that does not read', async () => {
    let sent = 0
    await using guest = await startGuest((_, response) => {
      const counted = async function* () {
        for (const chunk of megabytes(100)) {
          sent += 1
          yield chunk
        }
      }
      void pipeline(counted, response).catch(() => undefined)
    })
    await using world = await worldWith(guest)
    const answer = await open(world.port, { headers: world.headers })
    answer.pause()
    // The pipes between fill up, then nothing moves: two looks in a row see the same.
    let seen = -1
    while (seen !== sent) {
      seen = sent
      await once(globalThis.AbortSignal.timeout(200), 'abort')
    }
    expect(sent).toBeLessThan(50)
    expect(await lengthOf(answer)).toBe(100 * megabyte)
  })

  test('that the guest breaks off is broken off for the client, too', async () => {
    await using guest = await startGuest((_, response) => {
      response.write('part')
      setImmediate(() => response.destroy())
    })
    await using world = await worldWith(guest)
    const answer = await open(world.port, { headers: world.headers })
    await expect(collect(answer)).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  test('that never begins is 502', async () => {
    await using guest = await startGuest((request) => request.socket.destroy())
    await using world = await worldWith(guest)
    const answer = await ask(world.port, { method: 'POST', body: 'x', headers: world.headers })
    expect(answer).toMatchObject({ status: 502, body: expect.stringContaining('without a complete answer') })
  })

  test('of a server that ends it by closing the connection arrives whole', async () => {
    const server = createTcpServer((socket) => socket.end('HTTP/1.0 200 OK\r\n\r\nold'))
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    await using world = await startEdge()
    const route = newRoute({ address: '127.0.0.1' })
    world.routes.publish(route)
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    expect(await ask(world.port, { headers: routing(route, port) })).toMatchObject({ status: 200, body: 'old' })
    server.close()
  })
})

describe('a body', () => {
  test.each([
    ['with a length', String(100 * megabyte)],
    ['in chunks', undefined],
  ])('of 100 MB %s reaches the guest whole, never more than a few MB on the way', async (_, length) => {
    const between = new Between()
    await using guest = await startGuest((request, response) => {
      void between.receive(request).then((received) => response.end(`${received} ${request.headers['content-length']}`))
    })
    await using world = await worldWith(guest)
    const asked = start(world.port, { ...world.headers, ...(length !== undefined && { 'Content-Length': length }) })
    const [answer] = await Promise.all([answerOf(asked), pipeline(between.sent(megabytes(100)), asked)])
    expect(await collect(answer)).toBe(`${100 * megabyte} ${length}`)
    expect(between.most).toBeLessThan(25 * megabyte)
  })

  test('reaches the guest piece by piece, while the answer comes back', async () => {
    await using guest = await startGuest((request, response) => {
      response.flushHeaders()
      request.pipe(response)
    })
    await using world = await worldWith(guest)
    const asked = start(world.port, world.headers)
    asked.write('one')
    const answer = await answerOf(asked)
    expect(String((await once(answer, 'data'))[0])).toBe('one')
    asked.write('two')
    expect(String((await once(answer, 'data'))[0])).toBe('two')
    asked.end()
    await once(answer.resume(), 'end')
  })

  test('that the guest refuses early does not cost the client the answer', async () => {
    await using guest = await startGuest((_, response) => response.writeHead(413, { Connection: 'close' }).end('too large'))
    await using world = await worldWith(guest)
    const asked = start(world.port, world.headers)
    asked.write('x')
    const answer = await answerOf(asked)
    expect([answer.statusCode, await collect(answer)]).toEqual([413, 'too large'])
    asked.end()
  })

  test('announced with Expect: 100-continue is asked for', async () => {
    await using guest = await startGuest((request, response) => void request.pipe(response))
    await using world = await worldWith(guest)
    const asked = start(world.port, { ...world.headers, Expect: '100-continue', 'Content-Length': '2' })
    asked.flushHeaders()
    await once(asked, 'continue')
    asked.end('ok')
    expect(await collect(await answerOf(asked))).toBe('ok')
  })

  test('is not looked for where none was sent', async () => {
    await using guest = await startGuest((request, response) => response.end(`${request.method} ${request.headers['transfer-encoding']}`))
    await using world = await worldWith(guest)
    expect((await ask(world.port, { method: 'DELETE', headers: world.headers })).body).toBe('DELETE undefined')
  })
})

describe('a client that leaves', () => {
  test('in the middle of an answer ends the request in the guest', async () => {
    const left = later<void>()
    await using guest = await startGuest((_, response) => {
      response.write('x')
      response.once('close', () => left.resolve())
    })
    await using world = await worldWith(guest)
    const answer = await open(world.port, { headers: world.headers })
    answer.destroy()
    await expect(left.promise).resolves.toBeUndefined()
  })

  test('before an answer ends the request in the guest', async () => {
    const [arrived, left] = [later<void>(), later<void>()]
    await using guest = await startGuest((_, response) => {
      arrived.resolve()
      response.once('close', () => left.resolve())
    })
    await using world = await worldWith(guest)
    const asked = start(world.port, world.headers, 'GET')
    asked.on('error', () => undefined).end()
    await arrived.promise
    asked.destroy()
    await expect(left.promise).resolves.toBeUndefined()
  })

  test('in the middle of a body ends the request in the guest', async () => {
    const [arrived, left] = [later<void>(), later<void>()]
    await using guest = await startGuest((request) => {
      request.once('data', () => arrived.resolve())
      request.once('error', () => left.resolve())
    })
    await using world = await worldWith(guest)
    const asked = start(world.port, world.headers)
    asked.on('error', () => undefined).write('x')
    await arrived.promise
    asked.destroy()
    await expect(left.promise).resolves.toBeUndefined()
  })
})

describe('a sandbox that is cut', () => {
  test('takes the answers in progress with it, on both sides', async () => {
    const left = later<void>()
    await using guest = await startGuest((_, response) => {
      response.write('x')
      response.once('close', () => left.resolve())
    })
    await using world = await worldWith(guest)
    const answer = await open(world.port, { headers: world.headers })
    world.routes.suspend(world.route.sandboxId)
    await expect(collect(answer)).rejects.toMatchObject({ code: 'ECONNRESET' })
    await expect(left.promise).resolves.toBeUndefined()
  })

  test('answers 502 to requests that have had nothing yet', async () => {
    const arrived = later<void>()
    await using guest = await startGuest(() => arrived.resolve())
    await using world = await worldWith(guest)
    const answer = ask(world.port, { headers: world.headers })
    await arrived.promise
    world.routes.withdraw(world.route.sandboxId)
    expect(JSON.parse((await answer).body)).toEqual({ sandboxId: world.route.sandboxId, message: 'The sandbox was not found', code: 502 })
  })

  test('is reached at its new address afterwards, by clients that kept their connection', async () => {
    await using before = await startGuest((_, response) => response.end('before'))
    await using after = await startGuest((_, response) => response.end('after'), { port: before.port })
    await using world = await worldWith(before)
    const get = async () => (await fetch(`http://127.0.0.1:${world.port}/`, { headers: world.headers })).text()
    expect(await get()).toBe('before')
    world.routes.suspend(world.route.sandboxId)
    world.routes.publish({ ...world.route, address: after.address })
    expect(await get()).toBe('after')
  })

  test('leaves the others alone', async () => {
    await using guest = await startGuest((_, response) => response.end('ok'))
    await using world = await worldWith(guest)
    const other = newRoute({ address: guest.address })
    world.routes.publish(other)
    world.routes.withdraw(other.sandboxId)
    expect((await ask(world.port, { headers: world.headers })).body).toBe('ok')
  })
})

test('a kept-alive connection that the guest has closed meanwhile costs no request', async () => {
  await using guest = await startGuest((request, response) => {
    response.end('ok')
    // Closes without saying so, as a server whose idle time is over.
    response.once('finish', () => setImmediate(() => request.socket.resetAndDestroy()))
  })
  await using world = await worldWith(guest)
  for (let count = 0; count < 20; count++) expect((await ask(world.port, { headers: world.headers })).status).toBe(200)
})
