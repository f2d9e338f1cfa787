import { DatabaseSync } from 'node:sqlite'

import { expect, it } from 'vitest'

import { migrations } from './migrations/index.ts'
import { openStoreBeside } from './sqlite-store.ts'
import { temporaryStore } from './temporary-store.ts'

const key = (name: string, hash: string) => ({ name, hash, hint: 'e2b_aaaa', createdAt: 5, lastUsedAt: null })

it('a key of another process is in force at once, and gone at once', () => {
  using temporary = temporaryStore()
  const beside = openStoreBeside(temporary.file)
  expect(beside.keys.insert(key('ci', 'aa'))).toBe(true)
  expect(temporary.store.keys.list()).toEqual([key('ci', 'aa')])
  temporary.store.keys.used('aa', 7)
  expect(beside.keys.list()).toEqual([{ ...key('ci', 'aa'), lastUsedAt: 7 }])
  expect(beside.keys.delete('ci')).toBe(true)
  expect(beside.keys.delete('ci')).toBe(false)
  expect(temporary.store.keys.list()).toEqual([])
  beside.close()
})

it('takes no second key of one name or hash, and replaces by name', () => {
  using temporary = temporaryStore()
  const { keys } = temporary.store
  keys.insert(key('default', 'aa'))
  expect([keys.insert(key('default', 'bb')), keys.insert(key('other', 'aa'))]).toEqual([false, false])
  keys.insert(key('other', 'bb'))
  keys.replace(key('default', 'bb'))
  expect(keys.list()).toEqual([key('default', 'bb')])
})

it('keeps the keys of an earlier version', () => {
  using temporary = temporaryStore()
  const file = `${temporary.file}.old`
  const old = new DatabaseSync(file)
  for (const step of migrations.slice(0, 4)) old.exec(step)
  old.exec("PRAGMA user_version = 4; INSERT INTO api_key VALUES ('aa', 'default')")
  old.close()
  expect(() => openStoreBeside(file)).toThrow(
    expect.objectContaining({ kind: 'unavailable', message: expect.stringContaining('another version') }),
  )
  const database = new DatabaseSync(file)
  database.exec(migrations[4] ?? '')
  expect(database.prepare('SELECT name, hash, last_used_at FROM api_key').all()).toEqual([
    { name: 'default', hash: 'aa', last_used_at: null },
  ])
  database.close()
})
