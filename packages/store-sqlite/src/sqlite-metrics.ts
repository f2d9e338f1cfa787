import type { Metrics, Sample, SampleRange } from '@torpor/core'
import { z } from 'zod'

import { Statements, openDatabase } from './database.ts'

const schema = `
CREATE TABLE IF NOT EXISTS sample (
  sandbox_id TEXT NOT NULL,
  at INTEGER NOT NULL,
  cpu_count INTEGER NOT NULL,
  cpu_used_percent REAL NOT NULL,
  memory_used INTEGER NOT NULL,
  memory_total INTEGER NOT NULL,
  disk_used INTEGER NOT NULL,
  disk_total INTEGER NOT NULL,
  PRIMARY KEY (sandbox_id, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sample_by_time ON sample (at);
`

/** Opens the samples' own database: they never make a record wait for the disk, and a crash may cost the last of them. */
export function openMetrics(file: string): Metrics {
  const database = openDatabase(file)
  database.exec('PRAGMA synchronous = OFF')
  database.exec(schema)
  return new SqliteMetrics(new Statements(database))
}

class SqliteMetrics implements Metrics {
  readonly #statements: Statements

  constructor(statements: Statements) {
    this.#statements = statements
  }

  append(samples: readonly Sample[]): void {
    this.#statements.transaction(() => {
      for (const sample of samples) this.#insert(sample)
    })
  }

  #insert(sample: Sample): void {
    this.#statements.run(
      `INSERT OR REPLACE INTO sample VALUES
        (:sandboxId, :at, :cpuCount, :cpuUsedPercent, :memoryUsedBytes, :memoryTotalBytes, :diskUsedBytes, :diskTotalBytes)`,
      { ...sample },
    )
  }

  samples(sandboxId: string, { from, to }: SampleRange, limit: number): Sample[] {
    const within = { sandboxId, from, to }
    const counted = this.#statements.get(
      'SELECT count(*) AS n FROM sample WHERE sandbox_id = :sandboxId AND at BETWEEN :from AND :to',
      within,
    )
    const every = Math.max(1, Math.ceil(Number(counted?.['n'] ?? 0) / limit))
    const sql = `SELECT * FROM (
        SELECT *, row_number() OVER (ORDER BY at) AS n FROM sample WHERE sandbox_id = :sandboxId AND at BETWEEN :from AND :to
      ) WHERE (n - 1) % :every = 0 ORDER BY at`
    return this.#statements.all(sql, { ...within, every }).map(fromRow)
  }

  last(sandboxIds: readonly string[]): Sample[] {
    const sql = `SELECT sample.* FROM json_each(:ids) AS wanted JOIN sample
      ON sample.sandbox_id = wanted.value AND sample.at = (SELECT max(at) FROM sample WHERE sandbox_id = wanted.value)`
    return this.#statements.all(sql, { ids: JSON.stringify(sandboxIds) }).map(fromRow)
  }

  prune(before: number): void {
    this.#statements.run('DELETE FROM sample WHERE at < :before', { before })
  }

  close(): void {
    this.#statements.close()
  }
}

const row = z.object({
  sandbox_id: z.string(),
  at: z.number(),
  cpu_count: z.number(),
  cpu_used_percent: z.number(),
  memory_used: z.number(),
  memory_total: z.number(),
  disk_used: z.number(),
  disk_total: z.number(),
})

function fromRow(columns: unknown): Sample {
  const found = row.parse(columns)
  return {
    sandboxId: found.sandbox_id,
    at: found.at,
    cpuCount: found.cpu_count,
    cpuUsedPercent: found.cpu_used_percent,
    memoryUsedBytes: found.memory_used,
    memoryTotalBytes: found.memory_total,
    diskUsedBytes: found.disk_used,
    diskTotalBytes: found.disk_total,
  }
}
