import process from 'node:process'

import { type ConfigRow, describeConfig, loadConfig } from '@torpor/server/config'

/** Prints every setting. */
export function printConfig(options: { readonly json: boolean }): void {
  const rows = describeConfig(loadConfig())
  process.stdout.write(options.json ? `${JSON.stringify(rows, null, 2)}\n` : table(rows))
}

function table(rows: readonly ConfigRow[]): string {
  const width = (pick: (row: ConfigRow) => string): number => Math.max(...rows.map((row) => pick(row).length))
  const nameWidth = width((row) => row.name)
  const valueWidth = width((row) => row.value)
  return rows
    .map((row) => {
      const origin = row.value === row.default ? 'default' : row.default === '' ? 'set' : `default ${row.default}`
      return `${row.name.padEnd(nameWidth)}  ${row.value.padEnd(valueWidth)}  ${row.doc} (${row.unit}; ${origin})\n`
    })
    .join('')
}
