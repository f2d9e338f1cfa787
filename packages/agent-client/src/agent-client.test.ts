import type { IncomingMessage } from 'node:http'
import { json, text } from 'node:stream/consumers'

import type { AgentIdentity } from '@torpor/core'
import { describe, expect, it } from 'vitest'

import { createAgentClient } from './agent-client.ts'
import { envelope } from './envelopes.ts'
import { type Handler, freeAddress, serve, serveRaw } from './loopback.ts'
import { answerMilliseconds, waits } from './patience.ts'

const agent = createAgentClient()
const identity: AgentIdentity = {
  sandboxId: 'i00000000000000000001',
  templateId: 'template1',
  hostname: 'i00000000000000000001',
  accessToken: 'secret-token',
  env: { GREETING: 'hello' },
  nameservers: ['169.254.53.53'],
  defaults: { user: 'user', workdir: '/srv' },
  caCertificates: ['-----BEGIN CERTIFICATE-----'],
  hairpin: { port: 3443, address: '169.254.53.53:3443' },
}

const status =
  (...codes: number[]): Handler =>
  (_request, response) =>
    void response.writeHead(codes.length > 1 ? (codes.shift() ?? 500) : (codes[0] ?? 500)).end()

describe('healthy', () => {
  it('resolves at the first answer, and closes its connection', async () => {
    await using sandbox = await serve(status(204))
    await agent.healthy(sandbox.address, 5000)
    await sandbox.disconnected()
    expect(sandbox.connections.length).toBeGreaterThan(0)
  })

  it('waits for an agent that does not listen yet', async () => {
    const address = freeAddress()
    const asked = agent.healthy(address, 5000)
    await using sandbox = await serve(status(204), address)
    await asked
    await sandbox.disconnected()
    expect(sandbox.connections.length).toBeGreaterThan(0)
  })

  it('asks again while the answer is another than 204', async () => {
    await using sandbox = await serve(status(503, 200, 404, 204))
    await agent.healthy(sandbox.address, 5000)
    await sandbox.disconnected()
    expect(sandbox.connections.length).toBeGreaterThanOrEqual(4)
  })

  it('gives up a connection on which nothing comes, and asks on a new one', async () => {
    await using sandbox = await serveRaw((socket) => {
      if (socket !== sandbox.connections[0]) socket.end('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n')
    })
    const begin = performance.now()
    await agent.healthy(sandbox.address, 5000)
    expect(performance.now() - begin).toBeLessThan(1000)
    await sandbox.disconnected()
    expect(sandbox.connections.length).toBeGreaterThanOrEqual(2)
  })

  it.each([
    ['nothing listens', async () => ({ address: freeAddress(), [Symbol.asyncDispose]: () => Promise.resolve() })],
    ['nothing is answered', () => serveRaw()],
    ['an error is answered', () => serve(status(500))],
    ['nonsense is answered', () => serveRaw((socket) => void socket.end('nonsense\r\n\r\n'))],
  ])('says timed_out in time when %s', async (_what, make) => {
    await using sandbox = await make()
    const begin = performance.now()
    const asked = agent.healthy(sandbox.address, 200)
    await expect(asked).rejects.toMatchObject({
      kind: 'timed_out',
      message: expect.not.stringContaining(sandbox.address),
      context: { address: sandbox.address },
      cause: expect.any(Error),
    })
    expect(performance.now() - begin).toBeGreaterThan(150)
    expect(performance.now() - begin).toBeLessThan(1000)
  })
})

describe('patience', () => {
  it('looks five times within the first ten milliseconds, and never waits longer than 20', () => {
    const first = waits().take(50).toArray()
    expect(first.slice(0, 5).reduce((sum, wait) => sum + wait)).toBeLessThanOrEqual(10)
    expect(Math.max(...first)).toBe(20)
  })

  it('grows with the tries, up to two seconds', () => {
    const times = Array.from({ length: 30 }, (_, tries) => answerMilliseconds(tries))
    expect(times).toEqual(times.toSorted((a, b) => a - b))
    expect([times[0], times.at(-1)]).toEqual([100, 2000])
  })
})

describe('endBiggest', () => {
  const victim = { pid: 7, command: 'python3 greedy.py', rssBytes: 1024 }

  it('asks for a process of that size and tells which one it was', async () => {
    const seen: unknown[] = []
    await using sandbox = await serve((request, response) => {
      seen.push(request.method, request.url, request.headers['x-access-token'])
      response.writeHead(200).end(JSON.stringify(victim))
    })
    expect(await agent.endBiggest(sandbox.address, 'secret-token', 4096)).toEqual(victim)
    expect(seen).toEqual(['POST', '/oom?least=4096', 'secret-token'])
    await sandbox.disconnected()
  })

  it('is undefined when there is none', async () => {
    await using sandbox = await serve(status(404))
    expect(await agent.endBiggest(sandbox.address, null, 0)).toBeUndefined()
  })

  it.each(['nonsense', '{}', JSON.stringify({ ...victim, rssBytes: -1 }), JSON.stringify({ ...victim, command: 7 })])(
    'says unavailable for the answer %s',
    async (answer) => {
      await using sandbox = await serve((_request, response) => void response.writeHead(200).end(answer))
      await expect(agent.endBiggest(sandbox.address, null, 0)).rejects.toMatchObject({ kind: 'unavailable' })
    },
  )
})

describe('prepare', () => {
  const surroundings = { templateId: 'template1', hostname: 'spare', nameservers: ['169.254.53.53'] }
  const answering =
    (last: object, event: object = {}): Handler =>
    (request, response) => {
      if (request.url === '/init') return void response.writeHead(204).end()
      const closing = envelope(last)
      closing.writeUInt8(2)
      response.writeHead(200).end(Buffer.concat([envelope({ event }), closing]))
    }

  it('tells no token and no sandbox, and then runs a shell', async () => {
    const seen: [string | undefined, unknown, string][] = []
    await using sandbox = await serve(async (request, response) => {
      const body = await text(request)
      seen.push([request.url, request.headers['x-access-token'], body])
      await answering({}, { end: { exited: true } })(request, response)
    })
    await agent.prepare(sandbox.address, surroundings)
    expect(seen.map(([url, token]) => [url, token])).toEqual([
      ['/init', undefined],
      ['/process.Process/Start', undefined],
    ])
    expect(JSON.parse(seen[0]?.[2] ?? '')).toEqual(surroundings)
    expect(seen[1]?.[2]).toContain('/bin/bash')
  })

  it('does without a shell that is not there', async () => {
    await using sandbox = await serve(answering({ error: { code: 'not_found' } }))
    await expect(agent.prepare(sandbox.address, surroundings)).resolves.toBeUndefined()
  })
})

describe('init', () => {
  it('tells the agent who it is, once, with the token in header and body', async () => {
    const requests: [IncomingMessage, unknown][] = []
    await using sandbox = await serve(async (request, response) => {
      requests.push([request, await json(request)])
      response.writeHead(204).end()
    })
    const before = new Date().toISOString()
    await agent.init(sandbox.address, identity)
    await sandbox.disconnected()
    expect(requests.map(([request]) => `${request.method} ${request.url}`)).toEqual(['POST /init'])
    const [request, body] = requests[0] ?? []
    expect(request?.headers).toMatchObject({ 'x-access-token': 'secret-token', 'content-type': 'application/json' })
    expect(body).toEqual({
      sandboxId: identity.sandboxId,
      templateId: 'template1',
      hostname: identity.hostname,
      accessToken: 'secret-token',
      envVars: { GREETING: 'hello' },
      nameservers: ['169.254.53.53'],
      defaultUser: 'user',
      defaultWorkdir: '/srv',
      caCertificates: ['-----BEGIN CERTIFICATE-----'],
      hairpin: { port: 3443, address: '169.254.53.53:3443' },
      timestamp: expect.toSatisfy((time) => typeof time === 'string' && time >= before),
    })
  })

  it('sends no token where none is demanded, and takes away one that is installed', async () => {
    const seen: unknown[] = []
    await using sandbox = await serve(async (request, response) => {
      seen.push(request.headers, await json(request))
      response.writeHead(204).end()
    })
    await agent.init(sandbox.address, { ...identity, accessToken: null })
    const [headers, body] = seen
    expect(headers).not.toHaveProperty('x-access-token')
    expect(body).toHaveProperty('sandboxId')
    expect(body).toHaveProperty('accessToken', '')
  })

  it('shows the token of the sandbox whose image it comes from', async () => {
    const seen: unknown[] = []
    await using sandbox = await serve(async (request, response) => {
      seen.push(request.headers, await json(request))
      response.writeHead(204).end()
    })
    await agent.init(sandbox.address, identity, 'token of the parent')
    const [headers, body] = seen
    expect(headers).toHaveProperty('x-access-token', 'token of the parent')
    expect(body).toHaveProperty('accessToken', 'secret-token')
  })

  it('says unavailable when the agent refuses, with its words for the log and not for the user', async () => {
    await using sandbox = await serve((_request, response) => void response.writeHead(401).end('token differs'))
    const refused = agent.init(sandbox.address, identity)
    await expect(refused).rejects.toMatchObject({ kind: 'unavailable', context: { status: 401, text: 'token differs' } })
    await expect(refused).rejects.toMatchObject({ message: expect.not.stringContaining('token') })
    await sandbox.disconnected()
  })

  it('says unavailable when nothing listens', async () => {
    await expect(agent.init(freeAddress(), identity)).rejects.toMatchObject({ kind: 'unavailable', cause: expect.any(Error) })
  })

  it('does not read on when the answer has no end', async () => {
    let sent = 0
    await using sandbox = await serve((_request, response) => {
      response.writeHead(500)
      const chunk = 'x'.repeat(64 * 1024)
      const flood = (): void => {
        while (!response.destroyed && response.write(chunk)) sent += chunk.length
        response.once('drain', flood)
      }
      flood()
    })
    await expect(agent.init(sandbox.address, identity)).rejects.toMatchObject({ context: { text: 'x'.repeat(1024) } })
    await sandbox.disconnected()
    expect(sent).toBeLessThan(64 * 1024 * 1024)
  })
})
