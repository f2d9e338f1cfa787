import { expect, it } from 'vitest'

import { inventoryTable } from './inventory-table.ts'

const image = (mebibytes: number, shared = 0) => ({
  bytes: 1,
  allocatedBytes: mebibytes * 1024 ** 2,
  sharedBytes: shared * 1024 ** 2,
  extents: 1,
})

it('shows what each costs in memory, and on the volume alone and together with others', () => {
  const common = { template: 'base', startedAt: '', endAt: null }
  const lines = inventoryTable({
    sandboxes: [
      { id: 'i1', state: 'running', memoryBytes: 30.5 * 1024 ** 2, volume: image(40, 30), image: null, ...common },
      { id: 'i2', state: 'paused', memoryBytes: null, volume: null, image: image(512), ...common },
    ],
    snapshots: [{ id: 's1', name: null, sandboxId: 'i1', image: image(2) }],
    templates: [{ id: 't1', name: 'base', image: image(4.25) }],
    spares: 2,
  })
  expect(lines).toEqual([
    '          id    of    state    memory  its process, on the volume  saved, on the volume',
    'sandbox   i1    base  running  31 MiB  10 MiB + 30 MiB shared',
    'sandbox   i2    base  paused                                       512 MiB',
    'snapshot  s1    i1                                                 2.0 MiB',
    'template  base                                                     4.3 MiB',
    '2 ready sandboxes wait for creates',
  ])
})
