import { isKind } from '@torpor/contract'

import { evictSandbox } from '../app/evict-sandbox.ts'
import type { Ports } from '../app/ports.ts'
import type { SandboxRecord } from '../domain/sandbox.ts'
import type { Pass } from './loop.ts'

/** Keeps the frozen processes of paused sandboxes within their memory budget: the one paused longest ago goes first. */
export const warmMemory =
  (ports: Ports): Pass =>
  async () => {
    let held = 0
    for (const record of ports.store.frozenSandboxes().toReversed()) {
      held += await memoryOf(ports, record)
      if (held > ports.settings.warmMemoryBytes) await evictSandbox(ports, record.id)
    }
    return Number.POSITIVE_INFINITY
  }

async function memoryOf({ engine }: Ports, { execution }: SandboxRecord): Promise<number> {
  try {
    return execution === null ? 0 : (await engine.stats(execution)).memoryBytes
  } catch (error) {
    if (isKind(error, 'not_found')) return 0
    throw error
  }
}
