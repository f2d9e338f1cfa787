import { Readable } from 'node:stream'

import { TorporError, agentPort } from '@torpor/contract'
import type { Agent } from '@torpor/core'
import { Client } from 'undici'

import { basic } from './run-process.ts'

/** Writes a file by the agent's `POST /files` (protocol.md 3.2), streamed. */
export const writeFile: Agent['writeFile'] = async (address, { path, user, bytes, content }, signal) => {
  signal.throwIfAborted()
  const client = new Client(`http://${address}:${agentPort}`, { headersTimeout: 0, bodyTimeout: 0 })
  try {
    const { statusCode, body } = await client.request({
      method: 'POST',
      path: `/files?${new URLSearchParams({ path, username: user }).toString()}`,
      headers: { 'content-type': 'application/octet-stream', 'content-length': String(bytes), authorization: basic(user) },
      body: Readable.from(content),
      signal,
    })
    body.on('error', () => undefined)
    if (statusCode === 200) return
    if (statusCode === 507) throw new TorporError('no_space', "The sandbox's disk is full")
    throw new TorporError('unavailable', `The sandbox did not take the file: ${statusCode}`)
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (error instanceof TorporError) throw error
    throw new TorporError('unavailable', 'The connection into the sandbox broke off', { context: { address }, cause: error })
  } finally {
    await client.destroy()
  }
}
