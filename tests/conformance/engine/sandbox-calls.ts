import { once } from 'node:events'
import { IncomingMessage, request } from 'node:http'
import { json } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'

import { agentPort } from '@torpor/contract'
import { z } from 'zod'

const patience = 30_000

/** One call on a connection of its own: one that is kept would be lost in a capture. */
async function call(method: string, address: string, path: string, body?: object): Promise<IncomingMessage> {
  const headers = { connection: 'close', 'content-type': 'application/json' }
  const sent = request({ method, host: address, port: agentPort, path, headers, agent: false, signal: AbortSignal.timeout(patience) })
  sent.end(body && JSON.stringify(body))
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
