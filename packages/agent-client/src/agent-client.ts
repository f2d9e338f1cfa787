import { setTimeout as delay } from 'node:timers/promises'

import { TorporError, accessTokenHeader, agentPort } from '@torpor/contract'
import type { Agent, AgentIdentity } from '@torpor/core'
import { Client } from 'undici'

const initMilliseconds = 10_000
/** Waits between two tries: short at first, since an agent that was restored answers within milliseconds. */
const firstWaitMilliseconds = 2
const longestWaitMilliseconds = 50

/** The agent over HTTP. Every call has a connection of its own that is closed: one kept open would be lost in a memory image. */
export function createAgentClient(): Agent {
  return { healthy, init }
}

async function healthy(address: string, withinMilliseconds: number): Promise<void> {
  const deadline = Date.now() + withinMilliseconds
  let wait = firstWaitMilliseconds
  let last: unknown
  while (Date.now() < deadline) {
    try {
      const left = Math.max(deadline - Date.now(), 1)
      const { statusCode } = await call(address, { method: 'GET', path: '/health' }, Math.min(left, 2000))
      if (statusCode === 204) return
      last = { statusCode }
    } catch (error) {
      last = error
    }
    await delay(wait)
    wait = Math.min(wait * 1.5, longestWaitMilliseconds)
  }
  throw new TorporError('timed_out', `The sandbox did not become ready within ${withinMilliseconds / 1000} s`, {
    context: { address },
    cause: last,
  })
}

async function init(address: string, identity: AgentIdentity): Promise<void> {
  const { accessToken } = identity
  const request = {
    method: 'POST' as const,
    path: '/init',
    headers: { 'content-type': 'application/json', ...(accessToken !== null && { [accessTokenHeader]: accessToken }) },
    body: JSON.stringify(initBody(identity)),
  }
  const answer = await call(address, request, initMilliseconds).catch((cause: unknown) => {
    throw new TorporError('unavailable', 'The sandbox does not answer. Try again', { context: { address }, cause })
  })
  if (answer.statusCode !== 204) {
    throw new TorporError('unavailable', 'The sandbox did not take its identity', { context: { address, ...answer } })
  }
}

const initBody = ({ env, accessToken, ...identity }: AgentIdentity): object => ({
  ...identity,
  envVars: env,
  ...(accessToken !== null && { accessToken }),
  timestamp: new Date().toISOString(),
})

interface Call {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly headers?: Record<string, string>
  readonly body?: string
}

async function call(address: string, request: Call, withinMilliseconds: number): Promise<{ statusCode: number; text: string }> {
  const client = new Client(`http://${address}:${agentPort}`, { connectTimeout: withinMilliseconds, pipelining: 0 })
  try {
    const { statusCode, body } = await client.request({ ...request, signal: AbortSignal.timeout(withinMilliseconds) })
    return { statusCode, text: await body.text() }
  } finally {
    await client.destroy()
  }
}
