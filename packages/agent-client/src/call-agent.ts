import { agentPort } from '@torpor/contract'
import { Client } from 'undici'

export interface AgentCall {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface AgentAnswer {
  readonly status: number
  /** The beginning of the body; for the log. */
  readonly text: string
}

/** As much of an answer as is read when its content matters. */
export const mostCharacters = 4 * 1024 * 1024
const keptCharacters = 1024

/**
 * One request on a connection of its own, which is closed before this returns: one that is kept open would be lost in a memory
 * image. What answers is a program of strangers: no more of its answer is read than is of use.
 */
export async function callAgent(
  address: string,
  call: AgentCall,
  withinMilliseconds: number,
  characters = keptCharacters,
): Promise<AgentAnswer> {
  const signal = AbortSignal.timeout(Math.ceil(withinMilliseconds))
  const client = new Client(`http://${address}:${agentPort}`, { connectTimeout: Math.ceil(withinMilliseconds), pipelining: 0 })
  try {
    const { statusCode, body } = await client.request({ ...call, signal })
    // Destroyed below, while its text may be unread: that is no error of ours.
    body.on('error', () => undefined)
    return { status: statusCode, text: statusCode === 204 ? '' : await beginning(body, characters) }
  } finally {
    await client.destroy()
  }
}

async function beginning(body: AsyncIterable<Buffer>, characters: number): Promise<string> {
  let text = ''
  for await (const chunk of body) {
    text += chunk.toString('utf8')
    if (text.length >= characters) break
  }
  return text.slice(0, characters)
}
