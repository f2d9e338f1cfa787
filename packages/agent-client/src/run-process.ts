import { TorporError, agentPort, type ErrorKind } from '@torpor/contract'
import type { Agent, AgentCommand, OutputListener } from '@torpor/core'
import { Client } from 'undici'
import { z } from 'zod'

import { envelope, envelopes } from './envelopes.ts'

const started = z.object({ start: z.object({ pid: z.number() }) })
const data = z.object({ data: z.object({ stdout: z.base64().optional(), stderr: z.base64().optional() }) })
const ended = z.object({ end: z.object({ exitCode: z.number().default(0), exited: z.boolean().default(false) }) })
const other = z.looseObject({})
const streamed = z.object({ event: z.union([ended, data, started, other]) })
const failed = z.object({ error: z.object({ code: z.string(), message: z.string().default('') }).optional() })

const connectMilliseconds = 10_000

/** Runs a process by the agent's stream of its life (protocol.md 3.4). The connection is closed when this returns. */
export const run: Agent['run'] = async (address, command, { onOutput, signal }) => {
  signal.throwIfAborted()
  const client = new Client(`http://${address}:${agentPort}`, { connectTimeout: connectMilliseconds, bodyTimeout: 0, headersTimeout: 0 })
  try {
    const { statusCode, body } = await client.request({ ...requestOf(command), signal })
    body.on('error', () => undefined)
    if (statusCode !== 200) throw new TorporError('unavailable', `The sandbox's agent answered ${statusCode}`)
    return await follow(body, onOutput)
  } catch (error) {
    if (signal.aborted) throw signal.reason
    if (error instanceof TorporError) throw error
    throw new TorporError('unavailable', 'The connection into the sandbox broke off', { context: { address }, cause: error })
  } finally {
    await client.destroy()
  }
}

function requestOf({ program, args, user, workdir, env, timeoutMilliseconds }: AgentCommand) {
  return {
    method: 'POST',
    path: '/process.Process/Start',
    headers: {
      'content-type': 'application/connect+json',
      'connect-protocol-version': '1',
      'keepalive-ping-interval': '50',
      authorization: basic(user),
      ...(timeoutMilliseconds !== undefined && { 'connect-timeout-ms': String(Math.ceil(timeoutMilliseconds)) }),
    },
    body: envelope({ process: { cmd: program, args, envs: env, cwd: workdir }, stdin: false }),
  } as const
}

/** The agent takes the user from here, whatever the password. */
export const basic = (user: string): string => `Basic ${Buffer.from(`${user}:`).toString('base64')}`

async function follow(body: AsyncIterable<Buffer>, onOutput: OutputListener): Promise<number> {
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
  let status: number | undefined
  for await (const { end, message } of envelopes(body)) {
    if (end) {
      const { error } = failed.parse(message)
      if (error) throw translated(error)
      break
    }
    const { event } = streamed.parse(message)
    const output = data.safeParse(event).data?.data
    for (const stream of ['stdout', 'stderr'] as const) {
      const bytes = output?.[stream]
      if (bytes !== undefined) onOutput(stream, decoders[stream].decode(Buffer.from(bytes, 'base64'), { stream: true }))
    }
    const ending = ended.safeParse(event).data?.end
    if (ending) status = ending.exited ? ending.exitCode : -1
  }
  if (status === undefined) throw new TorporError('unavailable', 'The process in the sandbox ended without a word')
  return status
}

const kinds: Readonly<Record<string, ErrorKind>> = {
  invalid_argument: 'invalid_argument',
  unauthenticated: 'invalid_argument',
  not_found: 'invalid_argument',
  permission_denied: 'invalid_argument',
  deadline_exceeded: 'timed_out',
}

const translated = ({ code, message }: { readonly code: string; readonly message: string }): TorporError =>
  new TorporError(kinds[code] ?? 'unavailable', message || code)
