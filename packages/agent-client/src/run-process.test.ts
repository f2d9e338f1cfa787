import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { buffer, text } from 'node:stream/consumers'

import type { AgentCommand } from '@torpor/core'
import { expect, it } from 'vitest'

import { createAgentClient } from './agent-client.ts'
import { envelope } from './envelopes.ts'
import { type Handler, freeAddress, serve } from './loopback.ts'

const agent = createAgentClient()
const command: AgentCommand = {
  program: '/bin/bash',
  args: ['-c', 'x'],
  user: 'root',
  workdir: '/srv',
  env: { A: '1' },
  timeoutMilliseconds: 1500,
}
const signal = new AbortController().signal
const base64 = (part: string | Buffer): string => Buffer.from(part).toString('base64')

const end = (message: object): Buffer => {
  const framed = envelope(message)
  framed.writeUInt8(2)
  return framed
}
const exit = (event: object): Buffer => Buffer.concat([envelope({ event: { end: event } }), end({})])
const answering =
  (...parts: Buffer[]): Handler =>
  async (request, response) => {
    await buffer(request)
    response.writeHead(200)
    for (const part of parts) response.write(part)
    response.end()
  }

async function run(handler: Handler, options: { signal?: AbortSignal } = {}): Promise<{ status: number; heard: string[] }> {
  await using sandbox = await serve(handler)
  const heard: string[] = []
  const status = await agent.run(sandbox.address, command, {
    onOutput: (stream, part) => heard.push(`${stream}:${part}`),
    signal,
    ...options,
  })
  await sandbox.disconnected()
  return { status, heard }
}

it('starts a process as the agent wants it told, and hears it to its end', async () => {
  const seen: unknown[] = []
  const omega = Buffer.from('Ω')
  const { status, heard } = await run(async (request, response) => {
    const body = await buffer(request)
    seen.push(request.url, request.headers, JSON.parse(body.toString('utf8', 5)))
    const data = (part: object): Buffer => envelope({ event: { data: part } })
    const parts = [
      envelope({ event: { start: { pid: 7 } } }),
      data({ stdout: base64('out') }),
      envelope({ event: { keepalive: {} } }),
      data({ stderr: base64(omega.subarray(0, 1)) }),
      data({ stderr: base64(omega.subarray(1)) }),
      exit({ exitCode: 3, exited: true }),
    ]
    // In pieces that respect no boundary.
    for (const byte of Buffer.concat(parts)) response.write(Buffer.of(byte))
    response.end()
  })
  expect([status, heard.join('|')]).toEqual([3, 'stdout:out|stderr:|stderr:Ω'])
  expect(seen).toEqual([
    '/process.Process/Start',
    expect.objectContaining({
      authorization: `Basic ${base64('root:')}`,
      'content-type': 'application/connect+json',
      'connect-timeout-ms': '1500',
    }),
    { process: { cmd: '/bin/bash', args: ['-c', 'x'], envs: { A: '1' }, cwd: '/srv' }, stdin: false },
  ])
})

it('gives 0 where the agent leaves it out, and -1 for a signal', async () => {
  expect((await run(answering(exit({ exited: true })))).status).toBe(0)
  expect((await run(answering(exit({ exitCode: -1, exited: false })))).status).toBe(-1)
})

it.each<[string, Handler, string]>([
  [
    'a process that cannot be started',
    answering(end({ error: { code: 'invalid_argument', message: "cwd '/x' does not exist" } })),
    'invalid_argument',
  ],
  ['one that took too long', answering(end({ error: { code: 'deadline_exceeded', message: 'late' } })), 'timed_out'],
  ['one that ends without a word', answering(), 'unavailable'],
  ['a message without end', answering(Buffer.from([0, 255, 255, 255, 255])), 'unavailable'],
  ['a message that is no JSON', answering(Buffer.from([0, 0, 0, 0, 1, 120])), 'unavailable'],
  ['an agent that refuses', (_request, response) => void response.writeHead(401).end(), 'unavailable'],
  ['a connection that breaks off', (request) => void request.socket.destroy(), 'unavailable'],
])('tells %s', async (_what, handler, kind) => {
  await expect(run(handler)).rejects.toMatchObject({ kind })
})

it('lets go of a process, and closes its connection', async () => {
  const abort = new AbortController()
  const open = Promise.withResolvers<ServerResponse>()
  await using sandbox = await serve(async (request, response) => {
    await buffer(request)
    response.writeHead(200).write(envelope({ event: { start: { pid: 7 } } }))
    open.resolve(response)
  })
  const running = agent.run(sandbox.address, command, { onOutput: () => undefined, signal: abort.signal })
  const response = await open.promise
  const closed = once(response, 'close')
  abort.abort(new Error('enough'))
  await expect(running).rejects.toThrow('enough')
  await closed
})

it('is unavailable where nobody listens', async () => {
  await expect(agent.run(freeAddress(), command, { onOutput: () => undefined, signal })).rejects.toMatchObject({ kind: 'unavailable' })
})

it('writes a file as a user, streamed', async () => {
  const seen: unknown[] = []
  await using sandbox = await serve(async (request, response) => {
    seen.push(request.url, request.headers['content-length'], request.headers['content-type'], await text(request))
    response.writeHead(seen.length > 4 ? 507 : 200).end()
  })
  const file = () => ({ path: '/var/tmp/a b', user: 'root', bytes: 6, content: Readable.from([Buffer.from('abc'), Buffer.from('def')]) })
  await agent.writeFile(sandbox.address, file(), signal)
  expect(seen).toEqual(['/files?path=%2Fvar%2Ftmp%2Fa+b&username=root', '6', 'application/octet-stream', 'abcdef'])
  await expect(agent.writeFile(sandbox.address, file(), signal)).rejects.toMatchObject({ kind: 'no_space' })
})
