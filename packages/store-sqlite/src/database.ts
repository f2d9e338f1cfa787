import { chmodSync, closeSync, openSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite'

import { translated } from './foreign-errors.ts'
import { transaction } from './transaction.ts'

type Values = Record<string, SQLInputValue>
type Row = Record<string, SQLOutputValue>

/** Opens the file for its owner only. FULL: what is committed is on disk, also after a loss of power. */
export function openDatabase(file: string): DatabaseSync {
  return translated(() => {
    // Made before SQLite does, so that nobody else can ever read it; its side files inherit the mode.
    closeSync(openSync(file, 'a', 0o600))
    chmodSync(file, 0o600)
    const database = new DatabaseSync(file, { timeout: 5000, enableForeignKeyConstraints: true })
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')
    return database
  })
}

/** Runs statements that are compiled once, with foreign errors translated. Texts are few: values are bound, never written in. */
export class Statements {
  readonly #database: DatabaseSync
  readonly #prepared = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  get(sql: string, values: Values = {}): Row | undefined {
    return translated(() => this.#prepare(sql).get(values))
  }

  all(sql: string, values: Values = {}): Row[] {
    return translated(() => this.#prepare(sql).all(values))
  }

  /** Gives the number of rows changed. */
  run(sql: string, values: Values = {}): number {
    return translated(() => Number(this.#prepare(sql).run(values).changes))
  }

  /** An insert of one row. */
  insert(table: string, columns: Values): void {
    const names = Object.keys(columns)
    this.run(`INSERT INTO ${table} (${names.join(', ')}) VALUES (${names.map((name) => `:${name}`).join(', ')})`, columns)
  }

  transaction<T>(work: () => T): T {
    return translated(() => transaction(this.#database, work))
  }

  close(): void {
    this.#database.close()
  }

  #prepare(sql: string): StatementSync {
    const known = this.#prepared.get(sql)
    if (known) return known
    const statement = this.#database.prepare(sql)
    this.#prepared.set(sql, statement)
    return statement
  }
}
