import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'

import { z } from 'zod'

import { jsonLine } from '../output/print.ts'
import { harmless } from '../output/table.ts'
import type { ConnectionFlags } from '../remote/connection.ts'
import { RemoteProblem } from '../remote/problem.ts'
import { type Session, withSession } from '../remote/session.ts'

const entry = z.looseObject({
  timestamp: z.string(),
  level: z.string(),
  message: z.string(),
  fields: z.record(z.string(), z.unknown()).optional(),
})
const answer = z.object({ logs: z.array(entry) })
export type LogLine = z.infer<typeof entry>

export interface LogFlags extends ConnectionFlags {
  readonly json?: boolean
  readonly follow?: boolean
  readonly level?: string
  readonly search?: string
}

const pollMilliseconds = 1000
const page = 1000

/** What happened to a sandbox and in it, oldest first; with `follow` until the sandbox ends. */
export async function logs(id: string, flags: LogFlags): Promise<void> {
  await withSession(flags, async (session) => {
    const news = logReader(session, id, flags)
    for (;;) {
      // Asked first: what was written until the end is read after it.
      const ended = flags.follow !== true || !(await exists(session, id))
      let lines = await news()
      while (lines.length > 0) {
        process.stdout.write(lines.map(flags.json === true ? jsonLine : describeLine).join(''))
        lines = await news()
      }
      if (ended) return
      await delay(pollMilliseconds)
    }
  })
}

/** Gives at every call what was not given before; pages begin with the millisecond in which the last one ended. */
function logReader({ api }: Session, id: string, { level, search }: LogFlags): () => Promise<LogLine[]> {
  let cursor = 0
  let shown: string[] = []
  return async () => {
    const query = { cursor, limit: page, direction: 'forward', level, search }
    const { logs: found } = await api.ask('GET', `/v2/sandboxes/${encodeURIComponent(id)}/logs`, answer, { query })
    const fresh = withoutShown(found, shown)
    const last = found.at(-1)
    if (last !== undefined) {
      cursor = Date.parse(last.timestamp)
      shown = found.filter(({ timestamp }) => Date.parse(timestamp) === cursor).map((line) => JSON.stringify(line))
      // A page of one millisecond would come again for ever.
      if (fresh.length === 0 && found.length === page) cursor += 1
    }
    return fresh
  }
}

/** Each line that was shown takes away one that is equal. */
export function withoutShown(found: readonly LogLine[], shown: readonly string[]): LogLine[] {
  const left = [...shown]
  return found.filter((line) => {
    const place = left.indexOf(JSON.stringify(line))
    if (place >= 0) left.splice(place, 1)
    return place < 0
  })
}

export async function exists({ sdk, sandboxes }: Session, id: string): Promise<boolean> {
  const Sandbox = await sandboxes()
  const { SandboxNotFoundError } = await import('e2b')
  try {
    await Sandbox.getInfo(id, sdk)
    return true
  } catch (error) {
    if (error instanceof SandboxNotFoundError || (error instanceof RemoteProblem && error.exitCode === 4)) return false
    throw error
  }
}

function describeLine({ timestamp, level, message, fields = {} }: LogLine): string {
  const more = Object.entries(fields).map(([name, value]) => ` ${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
  return `${timestamp} ${level.padEnd(5)} ${harmless(`${message}${more.join('')}`)}\n`
}
