import type { DatabaseSync } from 'node:sqlite'

import { TorporError } from '@torpor/contract'

import { migrations } from './migrations/index.ts'
import { transaction } from './transaction.ts'

/** Brings the schema up to date. @throws TorporError `unavailable` when a newer Torpor has written the database. */
export function migrate(database: DatabaseSync): void {
  const known = migrations.length
  if (schemaVersion(database) === known) return
  // Looked at inside: of two processes that open at once, the second finds the work done.
  transaction(database, () => {
    const version = schemaVersion(database)
    if (version > known) {
      const message = 'The data directory was written by a newer Torpor. Update this one, or give it another data directory'
      throw new TorporError('unavailable', message, { context: { version, known } })
    }
    for (const step of migrations.slice(version)) database.exec(step)
    if (version < known) database.exec(`PRAGMA user_version = ${known}`)
  })
}

/** @throws TorporError `unavailable` when the schema is not that of this Torpor. */
export function requireCurrent(database: DatabaseSync): void {
  const version = schemaVersion(database)
  if (version === migrations.length) return
  const message =
    'The data directory was written by another version of Torpor. Start the server of this one first: torpor down && torpor up --detach'
  throw new TorporError('unavailable', message, { context: { version, known: migrations.length } })
}

/** Number of the steps that the database has. */
const schemaVersion = (database: DatabaseSync): number => Number(database.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0)
