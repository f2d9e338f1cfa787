import type { SQLInputValue } from 'node:sqlite'

import { type Snapshot, type SnapshotQuery, namespace } from '@torpor/core'

import type { Statements } from './database.ts'
import { snapshotFromRow } from './snapshot-row.ts'

/** By id, or by name and tag; an id wins over another snapshot's name that looks like it. */
export function getSnapshot(statements: Statements, idOrName: string): Snapshot | undefined {
  const { name, tag } = named(idOrName)
  const sql = `SELECT * FROM snapshot WHERE (id = :name AND :tag = 'default') OR (name = :name AND tag = :tag)
    ORDER BY id = :name DESC LIMIT 1`
  const found = statements.get(sql, { name, tag: tag ?? 'default' })
  return found && snapshotFromRow(found)
}

/** Newest first, then by id. A name without a tag means any tag. */
export function snapshotsOf(statements: Statements, { sandboxId, name: asked, after, limit }: SnapshotQuery): Snapshot[] {
  const { name, tag } = named(asked ?? '')
  const conditions: [string, Record<string, SQLInputValue> | undefined][] = [
    ['sandbox_id = :sandbox', sandboxId === undefined ? undefined : { sandbox: sandboxId }],
    ['name = :name', asked === undefined ? undefined : { name }],
    ['tag = :tag', tag === undefined ? undefined : { tag }],
    ['created_at <= :at AND (created_at < :at OR id > :id)', after && { at: after.createdAt, id: after.id }],
  ]
  const used = conditions.filter(([, bound]) => bound !== undefined)
  const where = used.map(([condition]) => condition).join(' AND ') || 'TRUE'
  const sql = `SELECT * FROM snapshot WHERE ${where} ORDER BY created_at DESC, id LIMIT :limit`
  return statements.all(sql, Object.assign({ limit }, ...used.map(([, bound]) => bound))).map(snapshotFromRow)
}

/** `[local/]<name>[:<tag>]`. */
function named(text: string): { readonly name: string; readonly tag: string | undefined } {
  const bare = text.startsWith(`${namespace}/`) ? text.slice(namespace.length + 1) : text
  const [name = '', tag] = bare.split(':', 2)
  return { name, tag }
}
