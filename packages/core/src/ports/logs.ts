import type { LogLevel } from '@torpor/contract'

/** One happening in or around a sandbox. */
export interface LogEntry {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly level: LogLevel
  /** Who says it: the platform or the agent inside. */
  readonly logger: 'platform' | 'agent'
  readonly message: string
  readonly fields: Readonly<Record<string, string>>
}

/** An entry of an agent's own journal; its number grows within one execution. */
export interface JournalEntry extends Omit<LogEntry, 'logger'> {
  readonly sequence: number
}

export interface LogQuery {
  /** Inclusive, milliseconds since the epoch. */
  readonly from?: number
  readonly to?: number
  /** The least serious level. */
  readonly level?: LogLevel
  /** Words that the message or a field must hold. */
  readonly search?: string
  readonly order: 'asc' | 'desc'
  readonly limit: number
}

/** What agents told. Losing the last of it at a crash is no harm: it never makes a record wait. */
export interface Journals {
  /** Adds what is new; what is there already is passed over, and the oldest beyond a bound are dropped. */
  append(sandboxId: string, execution: string, entries: readonly JournalEntry[]): void
  /** Those of a range in time, in the order asked for. */
  entries(sandboxId: string, query: Pick<LogQuery, 'from' | 'to' | 'order' | 'limit'>): LogEntry[]
  prune(before: number): void
  close(): void
}
