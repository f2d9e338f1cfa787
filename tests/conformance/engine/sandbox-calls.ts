import { once } from 'node:events'
import { IncomingMessage, request } from 'node:http'
import { json, text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'

import { agentPort } from '@torpor/contract'
import { z } from 'zod'

const patience = 30_000

/** One call on a connection of its own: one that is kept would be lost in a capture. */
async function call(method: string, address: string, path: string, body?: object | string): Promise<IncomingMessage> {
  const isText = typeof body === 'string'
  const headers = { connection: 'close', 'content-type': isText ? 'application/octet-stream' : 'application/json' }
  const sent = request({ method, host: address, port: agentPort, path, headers, agent: false, signal: AbortSignal.timeout(patience) })
  sent.end(isText ? body : body && JSON.stringify(body))
  const [response] = await once(sent, 'response')
  return z.instanceof(IncomingMessage).parse(response)
}

async function health(address: string): Promise<void> {
  const response = await call('GET', address, '/health')
  response.resume()
  if (response.statusCode !== 204) throw new Error(`the agent answered ${response.statusCode}`)
}

/** Resolves when the agent answers; a start returns before that. */
export async function answers(address: string): Promise<void> {
  const deadline = Date.now() + patience
  for (;;) {
    try {
      return await health(address)
    } catch (error) {
      if (Date.now() > deadline) throw new Error(`nothing answers at ${address}`, { cause: error })
      await delay(5)
    }
  }
}

/** Whether a request stays without an answer; silence can only be told by waiting. */
export const isSilent = (address: string): Promise<boolean> =>
  Promise.race([
    health(address).then(
      () => false,
      () => true,
    ),
    delay(400, true),
  ])

/** Puts a word into the sandbox's memory. */
export async function remember(address: string, word: string): Promise<void> {
  const response = await call('POST', address, '/init', { envVars: { WORD: word }, timestamp: new Date().toISOString() })
  response.resume()
  if (response.statusCode !== 204) throw new Error(`the agent answered ${response.statusCode}`)
}

/** The word that the sandbox remembers. */
export async function recall(address: string): Promise<string | undefined> {
  const known = z.object({ WORD: z.string().optional() }).parse(await json(await call('GET', address, '/envs')))
  return known.WORD
}

const fileAt = (path: string): string => `/files?username=root&path=${encodeURIComponent(path)}`

/** Writes a file in the sandbox. */
export async function write(address: string, path: string, content: string): Promise<void> {
  const response = await call('POST', address, fileAt(path), content)
  response.resume()
  if (response.statusCode !== 200) throw new Error(`the agent answered ${response.statusCode}`)
}

/** The content of a file in the sandbox; undefined when there is none. */
export async function read(address: string, path: string): Promise<string | undefined> {
  const response = await call('GET', address, fileAt(path))
  const content = await text(response)
  if (response.statusCode === 404) return undefined
  if (response.statusCode !== 200) throw new Error(`the agent answered ${response.statusCode}`)
  return content
}

/** What is another one after every boot, and the same after a restore. */
export const bootIdOf = (address: string): Promise<string | undefined> => read(address, '/proc/sys/kernel/random/boot_id')
