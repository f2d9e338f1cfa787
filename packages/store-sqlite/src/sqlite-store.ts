import { chmodSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'

import type { Expected, ListQuery, SandboxEvent, SandboxPatch, SandboxRecord, SandboxState, Store, TemplateBuild } from '@torpor/core'
import { z } from 'zod'

import { listStatement } from './list-statement.ts'
import { migrate } from './migrations.ts'
import { fromRow, patchColumns, toRow } from './sandbox-row.ts'
import { templateBuild } from './template-build.ts'

/** Opens (and, if need be, makes or updates) the database file. Every write is on disk when its call returns. */
export function openStore(file: string): Store {
  const database = new DatabaseSync(file)
  chmodSync(file, 0o600)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA busy_timeout = 5000')
  migrate(database)
  return new SqliteStore(database)
}

const eventRow = z.object({
  sandbox_id: z.string(),
  template_id: z.string(),
  at: z.number(),
  name: z.enum(['created', 'paused', 'resumed', 'killed']),
  reason: z.string(),
})

class SqliteStore implements Store {
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  insertSandbox(record: SandboxRecord): void {
    const columns = toRow(record)
    const names = Object.keys(columns)
    this.#run(`INSERT INTO sandbox (${names.join(', ')}) VALUES (${names.map((name) => `:${name}`).join(', ')})`, columns)
  }

  getSandbox(id: string): SandboxRecord | undefined {
    const found = this.#prepare('SELECT * FROM sandbox WHERE id = ?').get(id)
    return found && fromRow(found)
  }

  allSandboxes(state?: SandboxState): SandboxRecord[] {
    const rows = this.#prepare('SELECT * FROM sandbox WHERE :state IS NULL OR state = :state').all({ state: state ?? null })
    return rows.map((found) => fromRow(found))
  }

  listSandboxes(query: ListQuery): SandboxRecord[] {
    const { sql, values } = listStatement(query)
    return this.#prepare(sql)
      .all(...values)
      .map((found) => fromRow(found))
  }

  updateSandbox(expected: Expected, patch: SandboxPatch): SandboxRecord | undefined {
    const columns = patchColumns(patch)
    const sets = Object.keys(columns).map((name) => `${name} = :${name}`)
    const sql = `UPDATE sandbox SET ${sets.join(', ')}
      WHERE id = :was_id AND state = :was_state AND generation = :was_generation AND execution IS :was_execution RETURNING *`
    const { id, state, generation, execution } = expected
    const was = { was_id: id, was_state: state, was_generation: generation, was_execution: execution }
    const changed = this.#prepare(sql).get({ ...columns, ...was })
    return changed && fromRow(changed)
  }

  deleteSandbox(id: string, event: SandboxEvent): boolean {
    return this.#transaction(() => {
      const deleted = this.#prepare('DELETE FROM sandbox WHERE id = ?').run(id).changes === 1
      if (deleted) this.recordEvent(event)
      return deleted
    })
  }

  recordEvent({ sandboxId, templateId, at, name, reason }: SandboxEvent): void {
    this.#prepare('INSERT INTO event (sandbox_id, template_id, at, name, reason) VALUES (?, ?, ?, ?, ?)').run(
      sandboxId,
      templateId,
      at,
      name,
      reason,
    )
  }

  events(sandboxId: string): SandboxEvent[] {
    const rows = this.#prepare('SELECT * FROM event WHERE sandbox_id = ? ORDER BY number').all(sandboxId)
    return rows.map((found) => {
      const { sandbox_id, template_id, ...same } = eventRow.parse(found)
      return { sandboxId: sandbox_id, templateId: template_id, ...same }
    })
  }

  putTemplate(build: TemplateBuild): void {
    this.#transaction(() => {
      const { templateId } = build
      this.#prepare(
        'INSERT INTO template (template_id, build) VALUES (?, ?) ON CONFLICT (template_id) DO UPDATE SET build = excluded.build',
      ).run(templateId, JSON.stringify(build))
      this.#prepare('DELETE FROM template_name WHERE template_id = ?').run(templateId)
      for (const name of build.names) {
        this.#prepare('INSERT OR REPLACE INTO template_name (name, template_id) VALUES (?, ?)').run(name, templateId)
      }
    })
  }

  getTemplate(idOrName: string): TemplateBuild | undefined {
    const sql = `SELECT build FROM template WHERE template_id = :key
      OR template_id = (SELECT template_id FROM template_name WHERE name = :key)`
    const found = this.#prepare(sql).get({ key: idOrName })
    return found && templateBuild(found)
  }

  allTemplates(): TemplateBuild[] {
    return this.#prepare('SELECT build FROM template')
      .all()
      .map((found) => templateBuild(found))
  }

  apiKeyHashes(): string[] {
    return this.#prepare('SELECT hash FROM api_key')
      .all()
      .map((found) => z.object({ hash: z.string() }).parse(found).hash)
  }

  putApiKeyHash(hash: string, name: string): void {
    this.#transaction(() => {
      this.#prepare('DELETE FROM api_key WHERE name = ?').run(name)
      this.#prepare('INSERT OR REPLACE INTO api_key (hash, name) VALUES (?, ?)').run(hash, name)
    })
  }

  close(): void {
    this.#database.close()
  }

  #run(sql: string, columns: Record<string, SQLInputValue>): void {
    this.#prepare(sql).run(columns)
  }

  /** Statements are compiled once; their number is bounded by the code that writes them. */
  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql)
    if (known) return known
    const statement = this.#database.prepare(sql)
    this.#statements.set(sql, statement)
    return statement
  }

  #transaction<T>(work: () => T): T {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      const result = work()
      this.#database.exec('COMMIT')
      return result
    } catch (error) {
      this.#database.exec('ROLLBACK')
      throw error
    }
  }
}
