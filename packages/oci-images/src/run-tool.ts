import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

import { TorporError, type ErrorKind } from '@torpor/contract'
import { z } from 'zod'

const answer = z.discriminatedUnion('type', [
  z.object({ type: z.literal('progress') }),
  z.object({ type: z.literal('log'), level: z.enum(['info', 'warn']), message: z.string() }),
  z.looseObject({ type: z.literal('result') }),
  z.object({ type: z.literal('error'), kind: z.string(), message: z.string(), cause: z.string().default('') }),
])
type Answer = z.infer<typeof answer>

export interface ToolOptions {
  readonly signal: AbortSignal
  readonly tell?: (level: 'info' | 'warn', message: string) => void
}

const kinds: Readonly<Record<string, ErrorKind>> = {
  // Wrong credentials for a registry are no reason to ask for another key of ours, a missing image none to miss a template.
  invalid_argument: 'invalid_argument',
  not_found: 'invalid_argument',
  unauthenticated: 'invalid_argument',
  unsupported: 'invalid_argument',
  unavailable: 'unavailable',
  no_space: 'no_space',
}
const lastSeconds = 10

/**
 * One request to `torpor-oci` (oci/README.md); the only place here that starts a process. What is secret goes through its input.
 * @throws TorporError what it says, and the signal's reason when it was ended by that.
 */
export async function runTool(program: string, request: object, { signal, tell }: ToolOptions): Promise<z.infer<typeof answer>> {
  signal.throwIfAborted()
  const child = spawn(program, [], { stdio: ['pipe', 'pipe', 'ignore'], env: {} })
  const ended = new Promise<void>((resolve) => {
    child.once('error', () => resolve())
    child.once('close', () => resolve())
  })
  const end = (): void => {
    child.kill('SIGTERM')
    setTimeout(() => child.kill('SIGKILL'), lastSeconds * 1000).unref()
  }
  signal.addEventListener('abort', end)
  try {
    child.stdin.on('error', () => undefined)
    child.stdin.end(JSON.stringify(request))
    let last: Answer | undefined
    for await (const line of createInterface({ input: child.stdout })) {
      last = answer.parse(JSON.parse(line))
      if (last.type === 'log') tell?.(last.level, last.message)
    }
    await ended
    signal.throwIfAborted()
    if (last?.type === 'result') return last
    throw failure(last)
  } finally {
    signal.removeEventListener('abort', end)
    child.kill('SIGKILL')
    await ended
  }
}

function failure(last: Answer | undefined): TorporError {
  if (last?.type !== 'error') return new TorporError('internal', 'The tool for images ended without an answer')
  return new TorporError(kinds[last.kind] ?? 'internal', last.message, { context: { kind: last.kind }, cause: last.cause })
}
