import type { Inventory } from './api-client.ts'

const mebibytes = (bytes: number): string => `${(bytes / 1024 ** 2).toFixed(bytes < 10 * 1024 ** 2 ? 1 : 0)} MiB`

/** Columns as wide as their longest cell. */
function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)))
  return rows.map((row) =>
    row
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd(),
  )
}

/** What each sandbox, snapshot and template costs, one line each; nothing when there are only templates. */
export function inventoryTable({ sandboxes, snapshots, templates, spares }: Inventory): string[] {
  const rows = [
    ['', 'id', 'of', 'state', 'memory', 'on disk'],
    ...sandboxes.map(({ id, template, state, memoryBytes, image }) => [
      'sandbox',
      id,
      template,
      state,
      memoryBytes === null ? '' : mebibytes(memoryBytes),
      image ? mebibytes(image.allocatedBytes) : '',
    ]),
    ...snapshots.map(({ id, name, sandboxId, image }) => ['snapshot', name ?? id, sandboxId, '', '', mebibytes(image.allocatedBytes)]),
    ...templates.map(({ id, name, image }) => ['template', name === '' ? id : name, '', '', '', mebibytes(image.allocatedBytes)]),
  ]
  return [...columns(rows), `${spares} ready sandboxes wait for creates`]
}
