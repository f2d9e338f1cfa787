import { setTimeout as delay } from 'node:timers/promises'

import { TorporError, agentPort } from '@torpor/contract'
import type { Service } from '@torpor/core'
import { Client } from 'undici'

const startMilliseconds = 10_000
const tryMilliseconds = 5000
const pauseMilliseconds = 250

/** Starts the service through the agent (protocol.md 3.4) and asks it until it is ready. It outlives the connection. */
export async function startService(address: string, service: Service): Promise<void> {
  const started = await startProcess(address, service).catch((cause: unknown) => {
    throw new TorporError('unavailable', 'The service of the template could not be started', { context: { address }, cause })
  })
  if (!started.startsWith('{"event":{"start"')) {
    throw new TorporError('unavailable', 'The service of the template could not be started', { context: { address, started } })
  }
  const deadline = performance.now() + service.withinMilliseconds
  while (performance.now() < deadline) {
    if (await isReady(address, service)) return
    await delay(pauseMilliseconds)
  }
  const message = `The service of the template did not become ready within ${service.withinMilliseconds / 1000} s`
  throw new TorporError('timed_out', message, { context: { address, service } })
}

/** The first message of the process's stream. */
async function startProcess(address: string, { command, user }: Service): Promise<string> {
  const client = new Client(`http://${address}:${agentPort}`, { pipelining: 0 })
  try {
    const { body } = await client.request({
      method: 'POST',
      path: '/process.Process/Start',
      headers: {
        'content-type': 'application/connect+json',
        'connect-protocol-version': '1',
        authorization: `Basic ${Buffer.from(`${user}:`).toString('base64')}`,
      },
      body: enveloped({ process: { cmd: command, args: [], cwd: '/' }, stdin: false }),
      signal: AbortSignal.timeout(startMilliseconds),
    })
    // Destroyed below, while the process goes on to write: that is no error of ours.
    body.on('error', () => undefined)
    return await firstMessage(body)
  } finally {
    await client.destroy()
  }
}

async function firstMessage(body: AsyncIterable<Buffer>): Promise<string> {
  let read = Buffer.alloc(0)
  for await (const chunk of body) {
    read = Buffer.concat([read, chunk])
    if (read.length >= 5 && read.length >= 5 + read.readUInt32BE(1)) break
  }
  return read.subarray(5).toString('utf8')
}

/** A message of the Connect protocol's streams: no flags, its length, its JSON. */
function enveloped(message: object): Buffer {
  const content = Buffer.from(JSON.stringify(message))
  const head = Buffer.alloc(5)
  head.writeUInt32BE(content.length, 1)
  return Buffer.concat([head, content])
}

async function isReady(address: string, { port, path }: Service): Promise<boolean> {
  const client = new Client(`http://${address}:${port}`, { pipelining: 0, connectTimeout: tryMilliseconds })
  try {
    const { statusCode, body } = await client.request({ method: 'GET', path, signal: AbortSignal.timeout(tryMilliseconds) })
    body.on('error', () => undefined)
    return statusCode === 200
  } catch {
    return false
  } finally {
    await client.destroy()
  }
}
