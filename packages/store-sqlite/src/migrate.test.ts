import { DatabaseSync } from 'node:sqlite'

import { afterEach, beforeEach, expect, it } from 'vitest'

import { migrate } from './migrate.ts'
import { migrations } from './migrations/index.ts'
import { sampleSandbox } from './samples.ts'
import { openStore } from './sqlite-store.ts'
import { temporaryStore } from './temporary-store.ts'

let database: DatabaseSync
beforeEach(() => {
  database = new DatabaseSync(':memory:')
})
afterEach(() => database.close())

const version = (): unknown => database.prepare('PRAGMA user_version').get()?.['user_version']
const schema = (): unknown => database.prepare('SELECT name, sql FROM sqlite_schema ORDER BY name').all()

it('builds the whole schema from nothing, once', () => {
  migrate(database)
  const built = schema()
  expect(version()).toBe(migrations.length)
  migrate(database)
  expect(schema()).toEqual(built)
})

it.each(migrations.map((_, index) => index))('brings a database with %i steps up to date', (done) => {
  for (const step of migrations.slice(0, done)) database.exec(step)
  database.exec(`PRAGMA user_version = ${done}`)
  migrate(database)
  const updated = schema()
  const fresh = new DatabaseSync(':memory:')
  migrate(fresh)
  expect(updated).toEqual(fresh.prepare('SELECT name, sql FROM sqlite_schema ORDER BY name').all())
  fresh.close()
})

it('refuses a database that a newer Torpor has written, and leaves it as it is', () => {
  using temporary = temporaryStore()
  temporary.store.insertSandbox(sampleSandbox())
  const newer = new DatabaseSync(temporary.file)
  newer.exec(`PRAGMA user_version = ${migrations.length + 1}`)
  expect(() => openStore(temporary.file)).toThrow(
    expect.objectContaining({ kind: 'unavailable', message: expect.stringContaining('newer Torpor') }),
  )
  newer.exec(`PRAGMA user_version = ${migrations.length}`)
  newer.close()
  expect(temporary.reopen().getSandbox(sampleSandbox().id)).toEqual(sampleSandbox())
})

it('does a step whole or not at all', () => {
  database.exec('CREATE TABLE template (something TEXT)')
  expect(() => migrate(database)).toThrow('template')
  expect(version()).toBe(0)
  expect(database.prepare("SELECT count(*) AS tables FROM sqlite_schema WHERE type = 'table'").get()).toEqual({ tables: 1 })
})
