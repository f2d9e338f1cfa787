import { TorporError } from '@torpor/contract'
import type { Agent } from '@torpor/core'
import { z } from 'zod'

import { callAgent } from './call-agent.ts'
import { basic } from './run-process.ts'

const answerMilliseconds = 10_000
const refusal = z.object({ code: z.string(), message: z.string() })

/** Makes a directory by the agent's `filesystem.Filesystem/MakeDir` (protocol.md 3.5). */
export const makeDirectory: Agent['makeDirectory'] = async (address, path, user) => {
  const headers = { 'content-type': 'application/json', authorization: basic(user) }
  const call = { method: 'POST', path: '/filesystem.Filesystem/MakeDir', headers, body: JSON.stringify({ path }) } as const
  const { status, text } = await callAgent(address, call, answerMilliseconds).catch((cause: unknown) => {
    throw new TorporError('unavailable', 'The connection into the sandbox broke off', { context: { address }, cause })
  })
  if (status === 200) return
  const { code, message } = refusal.safeParse(parsed(text)).data ?? { code: 'unknown', message: `the agent answered ${status}` }
  if (code === 'already_exists') return
  throw new TorporError(code === 'invalid_argument' ? code : 'unavailable', message)
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
