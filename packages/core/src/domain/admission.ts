import { TorporError } from '@torpor/contract'

import type { Resources, SandboxRecord } from './sandbox.ts'

/** What active sandboxes may hold together. */
export interface Capacity {
  readonly memoryLimitMiB: number
  readonly maxSandboxes: number
}

/**
 * Refuses a sandbox for which there is no memory or no place beside the active ones.
 * @throws TorporError `exhausted`, naming the limit.
 */
export function admit(active: readonly Pick<SandboxRecord, 'resources'>[], wanted: Resources, capacity: Capacity): void {
  const { memoryLimitMiB, maxSandboxes } = capacity
  if (active.length >= maxSandboxes) {
    throw new TorporError(
      'exhausted',
      `${active.length} sandboxes are running, and ${maxSandboxes} is the limit. Kill or pause one, or raise TORPOR_MAX_SANDBOXES`,
    )
  }
  const used = active.reduce((sum, record) => sum + record.resources.memoryMiB, 0)
  if (used + wanted.memoryMiB <= memoryLimitMiB) return
  throw new TorporError(
    'exhausted',
    `Not enough memory for another sandbox: it needs ${wanted.memoryMiB} MiB, ${active.length} running sandboxes hold ${used} MiB of ` +
      `the limit of ${memoryLimitMiB} MiB. Kill or pause one, or raise TORPOR_MAX_MEMORY`,
    { context: { used, wanted: wanted.memoryMiB, memoryLimitMiB } },
  )
}
