import { TorporError } from '@torpor/contract'

import type { Resources, SandboxRecord } from './sandbox.ts'

/**
 * Refuses a sandbox for which there is no memory beside those that hold memory or are about to.
 * @throws TorporError `exhausted`, naming the limit.
 */
export function admit(active: readonly Pick<SandboxRecord, 'resources'>[], wanted: Resources, limitMiB: number): void {
  const used = active.reduce((sum, record) => sum + record.resources.memoryMiB, 0)
  if (used + wanted.memoryMiB <= limitMiB) return
  throw new TorporError(
    'exhausted',
    `Not enough memory for another sandbox: it needs ${wanted.memoryMiB} MiB, ${active.length} running sandboxes hold ${used} MiB of ` +
      `the limit of ${limitMiB} MiB. Kill or pause one, or raise TORPOR_MAX_MEMORY`,
    { context: { used, wanted: wanted.memoryMiB, limitMiB } },
  )
}
