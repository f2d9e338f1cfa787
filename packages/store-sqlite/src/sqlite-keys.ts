import type { ApiKey, KeyStore } from '@torpor/core'
import { z } from 'zod'

import type { Statements } from './database.ts'

const row = z
  .object({ name: z.string(), hash: z.string(), hint: z.string(), created_at: z.number(), last_used_at: z.number().nullable() })
  .transform(({ created_at: createdAt, last_used_at: lastUsedAt, ...key }): ApiKey => ({ ...key, createdAt, lastUsedAt }))

const toRow = ({ createdAt, lastUsedAt, ...key }: ApiKey) => ({ ...key, created_at: createdAt, last_used_at: lastUsedAt })

/** The table of API keys. */
export class SqliteKeys implements KeyStore {
  readonly #statements: Statements

  constructor(statements: Statements) {
    this.#statements = statements
  }

  list(): ApiKey[] {
    return this.#statements.all('SELECT * FROM api_key ORDER BY created_at, name').map((found) => row.parse(found))
  }

  insert(key: ApiKey): boolean {
    const sql = `INSERT INTO api_key (name, hash, hint, created_at, last_used_at)
      VALUES (:name, :hash, :hint, :created_at, :last_used_at) ON CONFLICT DO NOTHING`
    return this.#statements.run(sql, toRow(key)) === 1
  }

  replace(key: ApiKey): void {
    const { name, hash, hint } = key
    this.#statements.transaction(() => {
      this.#statements.run('DELETE FROM api_key WHERE (name = :name) <> (hash = :hash)', { name, hash })
      // The same key: only what an earlier version did not know of it.
      if (!this.insert(key)) this.#statements.run('UPDATE api_key SET hint = :hint WHERE hash = :hash', { hash, hint })
    })
  }

  delete(name: string): boolean {
    return this.#statements.run('DELETE FROM api_key WHERE name = :name', { name }) === 1
  }

  used(hash: string, at: number): void {
    this.#statements.run('UPDATE api_key SET last_used_at = :at WHERE hash = :hash', { hash, at })
  }
}
