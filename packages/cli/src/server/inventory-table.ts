import { mebibytes } from '../output/format.ts'
import { columns } from '../output/table.ts'
import type { Inventory, SpaceUse } from './api-client.ts'

/**
 * What each sandbox, snapshot and template costs, one line each; nothing when there are only templates. On the volume: what it has alone,
 * and what it shares with others.
 */
export function inventoryTable({ sandboxes, snapshots, templates, spares }: Inventory): string[] {
  const rows = [
    ['', 'id', 'of', 'state', 'memory', 'its process, on the volume', 'saved, on the volume'],
    ...sandboxes.map(({ id, template, state, memoryBytes, volume, image }) => [
      'sandbox',
      id,
      template,
      state,
      memoryBytes === null ? '' : mebibytes(memoryBytes),
      volume ? space(volume) : '',
      image ? space(image) : '',
    ]),
    ...snapshots.map(({ id, name, sandboxId, image }) => ['snapshot', name ?? id, sandboxId, '', '', '', space(image)]),
    ...templates.map(({ id, name, image }) => ['template', name === '' ? id : name, '', '', '', '', space(image)]),
  ]
  return [...columns(rows), `${spares} ready sandboxes wait for creates`]
}

const space = ({ allocatedBytes, sharedBytes }: SpaceUse): string =>
  sharedBytes === 0 ? mebibytes(allocatedBytes) : `${mebibytes(allocatedBytes - sharedBytes)} + ${mebibytes(sharedBytes)} shared`
