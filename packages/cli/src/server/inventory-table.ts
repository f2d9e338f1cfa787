import { mebibytes } from '../output/format.ts'
import { columns } from '../output/table.ts'
import type { Inventory } from './api-client.ts'

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
