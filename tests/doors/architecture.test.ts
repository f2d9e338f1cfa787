import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { raceTable, stateTable } from '@torpor/core'
import { expect, test } from 'vitest'

const file = path.join(import.meta.dirname, '..', '..', 'ARCHITECTURE.md')

/** `UPDATE_TABLES=1 npx vitest run tests/doors/architecture.test.ts` writes them anew. */
test.each([
  ['states', stateTable],
  ['races', raceTable],
])('ARCHITECTURE.md shows the table of %s that the code uses', async (name, table) => {
  const text = await readFile(file, 'utf8')
  const begin = `<!-- ${name} -->\n\n`
  const end = `\n\n<!-- end of ${name} -->`
  const [before, rest] = text.split(begin)
  const [shown, after] = (rest ?? '').split(end)
  expect(after).toBeDefined()
  const isUpdate = process.env['UPDATE_TABLES'] === '1'
  if (isUpdate) await writeFile(file, [before, begin, table(), end, after].join(''))
  expect(isUpdate ? table() : shown).toBe(table())
})
