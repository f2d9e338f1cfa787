import type { DatabaseSync } from 'node:sqlite'

import type {
  EventQuery,
  Expected,
  ImageRef,
  ListQuery,
  RecordedEvent,
  SandboxEvent,
  SandboxPatch,
  SandboxRecord,
  SandboxState,
  Snapshot,
  SnapshotQuery,
  Store,
  TemplateBuild,
} from '@torpor/core'
import { z } from 'zod'

import { base, image, json } from './columns.ts'
import { Statements, openDatabase } from './database.ts'
import { eventConditions, eventFromRow, eventToRow } from './event-row.ts'
import { listStatement } from './list-statement.ts'
import { migrate, requireCurrent } from './migrate.ts'
import { fromRow, patchColumns, toRow } from './sandbox-row.ts'
import { getSnapshot, snapshotsOf } from './snapshot-queries.ts'
import { snapshotToRow } from './snapshot-row.ts'
import { SqliteKeys } from './sqlite-keys.ts'
import { SqliteTemplates } from './sqlite-templates.ts'

/** Opens (and, if need be, makes or updates) the database file. Every write is on disk when its call returns. */
export const openStore = (file: string): Store => openWith(file, migrate)

/**
 * Opens the database of a server that may be running, whose schema stays as it is.
 * @throws TorporError `unavailable` when another version of Torpor wrote it.
 */
export const openStoreBeside = (file: string): Store => openWith(file, requireCurrent)

function openWith(file: string, prepare: (database: DatabaseSync) => void): Store {
  const database = openDatabase(file)
  try {
    prepare(database)
  } catch (error) {
    database.close()
    throw error
  }
  return new SqliteStore(new Statements(database))
}

const imageRow = z.object({ image: json(image) })
const baseRow = z.object({ base: json(base) })

class SqliteStore implements Store {
  readonly #statements: Statements
  readonly templates: SqliteTemplates
  readonly keys: SqliteKeys

  constructor(statements: Statements) {
    this.#statements = statements
    this.templates = new SqliteTemplates(statements)
    this.keys = new SqliteKeys(statements)
  }

  insertSandbox(record: SandboxRecord): void {
    this.#statements.insert('sandbox', toRow(record))
  }

  getSandbox(id: string): SandboxRecord | undefined {
    const found = this.#statements.get('SELECT * FROM sandbox WHERE id = :id', { id })
    return found && fromRow(found)
  }

  allSandboxes(state?: SandboxState): SandboxRecord[] {
    const rows =
      state === undefined
        ? this.#statements.all('SELECT * FROM sandbox')
        : this.#statements.all('SELECT * FROM sandbox WHERE state = :state', { state })
    return rows.map(fromRow)
  }

  frozenSandboxes(): SandboxRecord[] {
    const sql = "SELECT * FROM sandbox WHERE execution IS NOT NULL AND state = 'paused' ORDER BY paused_at"
    return this.#statements.all(sql).map(fromRow)
  }

  sandboxOf(execution: string): SandboxRecord | undefined {
    const found = this.#statements.get('SELECT * FROM sandbox WHERE execution = :execution', { execution })
    return found && fromRow(found)
  }

  listSandboxes(query: ListQuery): SandboxRecord[] {
    const { sql, values } = listStatement(query)
    return this.#statements.all(sql, values).map(fromRow)
  }

  updateSandbox(expected: Expected, patch: SandboxPatch, event?: SandboxEvent): SandboxRecord | undefined {
    if (!event) return this.#update(expected, patch)
    return this.#statements.transaction(() => {
      const changed = this.#update(expected, patch)
      if (changed) this.recordEvent(event)
      return changed
    })
  }

  #update(expected: Expected, patch: SandboxPatch): SandboxRecord | undefined {
    const columns = patchColumns(patch)
    // An empty patch still compares.
    const sets = ['id = id', ...Object.keys(columns).map((name) => `${name} = :${name}`)]
    const sql = `UPDATE sandbox SET ${sets.join(', ')}
      WHERE id = :was_id AND state = :was_state AND generation = :was_generation AND execution IS :was_execution RETURNING *`
    const { id, state, generation, execution } = expected
    const was = { was_id: id, was_state: state, was_generation: generation, was_execution: execution }
    // All rows, though there is one at most: the commit comes after the last, and its failure must be heard.
    return this.#statements.all(sql, { ...columns, ...was }).map(fromRow)[0]
  }

  deleteSandbox(id: string, event: SandboxEvent): boolean {
    return this.#statements.transaction(() => {
      const deleted = this.#statements.run('DELETE FROM sandbox WHERE id = :id', { id }) === 1
      if (deleted) this.recordEvent(event)
      return deleted
    })
  }

  recordEvent(event: SandboxEvent): void {
    this.#statements.insert('event', eventToRow(event))
  }

  events(query: EventQuery): { events: RecordedEvent[]; total: number } {
    const { where, values } = eventConditions(query)
    const direction = query.order === 'asc' ? 'ASC' : 'DESC'
    const sql = `SELECT * FROM event WHERE ${where} ORDER BY number ${direction} LIMIT :limit OFFSET :offset`
    const events = this.#statements.all(sql, { ...values, limit: query.limit, offset: query.offset }).map(eventFromRow)
    const counted = this.#statements.get(`SELECT count(*) AS total FROM event WHERE ${where}`, values)
    return { events, total: Number(counted?.['total'] ?? 0) }
  }

  insertSnapshot(snapshot: Snapshot, event: SandboxEvent): void {
    const { name, tag } = snapshot
    this.#statements.transaction(() => {
      if (name !== null) this.#statements.run('UPDATE snapshot SET name = NULL WHERE name = :name AND tag = :tag', { name, tag })
      this.#statements.insert('snapshot', snapshotToRow(snapshot))
      this.recordEvent(event)
    })
  }

  getSnapshot(idOrName: string): Snapshot | undefined {
    return getSnapshot(this.#statements, idOrName)
  }

  listSnapshots(query: SnapshotQuery): Snapshot[] {
    return snapshotsOf(this.#statements, query)
  }

  deleteSnapshot(id: string): boolean {
    return this.#statements.run('DELETE FROM snapshot WHERE id = :id', { id }) === 1
  }

  allImages(): ImageRef[] {
    const sql = `SELECT image FROM sandbox WHERE image IS NOT NULL UNION ALL SELECT image FROM snapshot
      UNION ALL SELECT image FROM build WHERE image IS NOT NULL UNION ALL SELECT image FROM layer`
    return this.#statements.all(sql).map((found) => imageRow.parse(found).image)
  }

  isImageNamed(name: string): boolean {
    const sql = `SELECT EXISTS (SELECT 1 FROM sandbox WHERE image IS NOT NULL AND json_extract(image, '$.name') = :name)
      OR EXISTS (SELECT 1 FROM snapshot WHERE json_extract(image, '$.name') = :name)
      OR EXISTS (SELECT 1 FROM build WHERE image IS NOT NULL AND json_extract(image, '$.name') = :name)
      OR EXISTS (SELECT 1 FROM layer WHERE json_extract(image, '$.name') = :name) AS named`
    return this.#statements.get(sql, { name })?.['named'] === 1
  }

  namedRoots(): string[] {
    const sql = `SELECT json_extract(base, '$.rootfs') AS root FROM sandbox UNION SELECT json_extract(base, '$.rootfs') FROM snapshot
      UNION SELECT json_extract(base, '$.rootfs') FROM build WHERE image IS NOT NULL`
    return this.#statements.all(sql, {}).map(({ root }) => String(root))
  }

  namedArtifacts(): { rootfs: string[]; agents: string[]; engines: string[] } {
    const bases = `SELECT base FROM sandbox UNION SELECT base FROM snapshot UNION SELECT base FROM build WHERE base IS NOT NULL`
    const found = this.#statements.all(bases, {}).map((row) => baseRow.parse(row).base)
    const unique = (names: readonly string[]): string[] => [...new Set(names)]
    return {
      rootfs: unique(found.map(({ rootfs }) => rootfs)),
      agents: unique(found.map(({ agent }) => agent)),
      engines: unique(this.allImages().map(({ engineVersion }) => engineVersion)),
    }
  }

  putTemplate(build: TemplateBuild): void {
    this.templates.putBuiltIn(build)
  }

  getTemplate(idOrName: string): TemplateBuild | undefined {
    return this.templates.tagged(idOrName)
  }

  allTemplates(): TemplateBuild[] {
    return this.templates.allTagged()
  }

  close(): void {
    this.#statements.close()
  }
}
