import { type LogLevel, logLevels, sandboxNotFound } from '@torpor/contract'

import type { SandboxEvent } from '../domain/sandbox.ts'
import type { LogEntry, LogQuery } from '../ports/logs.ts'
import { pullJournal } from './journal.ts'
import type { Ports } from './ports.ts'

/** Looked through for words; more are a matter of another range. */
const mostSearched = 10_000

/**
 * The log of a sandbox: its life as the platform knows it and what its agent noted, in the order of time. Also of one that is
 * gone. @throws TorporError `not_found` for one that never was.
 */
export async function logsOf(ports: Ports, id: string, query: LogQuery): Promise<LogEntry[]> {
  const record = ports.store.getSandbox(id)
  if (record?.state === 'running') await pullJournal(ports, record)
  const isFiltered = query.level !== undefined || query.search !== undefined
  const range = { ...timesOf(query), order: query.order, limit: isFiltered ? mostSearched : query.limit }
  const { events } = ports.store.events({ ...range, sandboxId: id, offset: 0 })
  if (!record && events.length === 0 && !isKnown(ports, id)) throw sandboxNotFound(id)
  const merged = [...events.map(entryOf), ...ports.journals.entries(id, range)]
  const direction = query.order === 'asc' ? 1 : -1
  return merged
    .filter((entry) => matches(entry, query))
    .toSorted((a, b) => direction * (a.at - b.at))
    .slice(0, query.limit)
}

const timesOf = ({ from, to }: LogQuery) => ({ ...(from !== undefined && { from }), ...(to !== undefined && { to }) })

const isKnown = ({ store }: Ports, id: string): boolean => store.events({ sandboxId: id, order: 'asc', offset: 0, limit: 1 }).total > 0

const severity = (level: LogLevel): number => logLevels.indexOf(level)

function matches({ level, message, fields }: LogEntry, query: LogQuery): boolean {
  if (query.level !== undefined && severity(level) < severity(query.level)) return false
  const words = query.search?.toLowerCase()
  return words === undefined || [message, ...Object.values(fields)].some((text) => text.toLowerCase().includes(words))
}

const unplanned: ReadonlySet<string> = new Set([
  'crashed',
  'out of memory',
  'lost',
  'lost while it was paused',
  'create failed',
  'pause failed',
])

function entryOf({ at, name, reason }: SandboxEvent): LogEntry {
  const level = name === 'damaged' || unplanned.has(reason) ? 'error' : 'info'
  return { at, level, logger: 'platform', message: `sandbox ${name}`, fields: { event: name, reason } }
}
