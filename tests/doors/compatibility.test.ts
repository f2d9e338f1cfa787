import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { expect, test } from 'vitest'

import { compatibilityTable, proven } from './compatibility.ts'

const file = path.join(import.meta.dirname, '..', '..', 'docs', 'compatibility.md')
const [begin, end] = ['<!-- calls -->\n\n', '\n\n<!-- end of calls -->']

/** `UPDATE_TABLES=1 npx vitest run tests/doors/compatibility.test.ts` writes it anew. */
test('docs/compatibility.md shows the calls that the tests make, by client', async () => {
  const [before, rest] = (await readFile(file, 'utf8')).split(begin)
  const [shown, after] = (rest ?? '').split(end)
  expect(after).toBeDefined()
  const isUpdate = process.env['UPDATE_TABLES'] === '1'
  if (isUpdate) await writeFile(file, [before, begin, compatibilityTable(), end, after].join(''))
  expect(isUpdate ? compatibilityTable() : shown).toBe(compatibilityTable())
})

test('who makes a call is told apart', () => {
  const found = proven()
  expect([...(found.get('git.clone') ?? [])]).toHaveLength(4)
  expect(found.get('Sandbox.reset')).toEqual(new Set(['novita-sandbox (npm)', 'novita-sandbox (PyPI)']))
  expect(found.get('Sandbox.clone')).toEqual(new Set(['novita-sandbox (npm)', 'novita-sandbox (PyPI)']))
})
