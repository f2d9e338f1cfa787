import { logLevels } from '@torpor/contract'
import type { JournalEntry, Journals, LogEntry, LogQuery } from '@torpor/core'
import { z } from 'zod'

import { json, texts } from './columns.ts'
import { Statements, openDatabase } from './database.ts'

const schema = `
CREATE TABLE IF NOT EXISTS entry (
  sandbox_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  execution TEXT NOT NULL,
  sequence INTEGER NOT NULL,
  level TEXT NOT NULL,
  message TEXT NOT NULL,
  fields TEXT NOT NULL,
  PRIMARY KEY (sandbox_id, at, execution, sequence)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entry_by_time ON entry (at);
`

/** What one sandbox may leave behind; the oldest beyond it go. */
const mostEntries = 10_000

/** Opens the journals' own database: they never make a record wait for the disk, and a crash may cost the last of them. */
export function openJournals(file: string): Journals {
  const database = openDatabase(file)
  database.exec('PRAGMA synchronous = OFF')
  database.exec(schema)
  return new SqliteJournals(new Statements(database))
}

class SqliteJournals implements Journals {
  readonly #statements: Statements

  constructor(statements: Statements) {
    this.#statements = statements
  }

  append(sandboxId: string, execution: string, entries: readonly JournalEntry[]): void {
    this.#statements.transaction(() => {
      for (const { fields, ...entry } of entries) {
        this.#statements.run('INSERT OR IGNORE INTO entry VALUES (:sandboxId, :at, :execution, :sequence, :level, :message, :fields)', {
          sandboxId,
          execution,
          ...entry,
          fields: JSON.stringify(fields),
        })
      }
      this.#statements.run(
        `DELETE FROM entry WHERE sandbox_id = :sandboxId AND at <= (
          SELECT at FROM entry WHERE sandbox_id = :sandboxId ORDER BY at DESC LIMIT 1 OFFSET :most)`,
        { sandboxId, most: mostEntries },
      )
    })
  }

  entries(sandboxId: string, { from, to, order, limit }: Pick<LogQuery, 'from' | 'to' | 'order' | 'limit'>): LogEntry[] {
    const direction = order === 'asc' ? 'ASC' : 'DESC'
    const sql = `SELECT * FROM entry WHERE sandbox_id = :sandboxId AND at BETWEEN :from AND :to
      ORDER BY at ${direction}, execution, sequence ${direction} LIMIT :limit`
    const values = { sandboxId, from: from ?? 0, to: to ?? Number.MAX_SAFE_INTEGER, limit }
    return this.#statements.all(sql, values).map(fromRow)
  }

  prune(before: number): void {
    this.#statements.run('DELETE FROM entry WHERE at < :before', { before })
  }

  close(): void {
    this.#statements.close()
  }
}

const row = z.object({ at: z.number(), level: z.enum(logLevels), message: z.string(), fields: json(texts) })

const fromRow = (columns: unknown): LogEntry => ({ ...row.parse(columns), logger: 'agent' })
