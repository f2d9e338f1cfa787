import { isKind } from '@torpor/contract'

import type { ImageRef } from '../domain/sandbox.ts'
import type { SpaceUse } from '../ports/engine.ts'
import type { Ports } from './ports.ts'
import type { SandboxView } from './sandbox-view.ts'
import { viewOf } from './view.ts'

/** What there is and what it costs, for the operator. */
export interface Inventory {
  readonly sandboxes: readonly InventorySandbox[]
  readonly snapshots: readonly {
    readonly id: string
    readonly name: string | null
    readonly sandboxId: string
    readonly image: SpaceUse
  }[]
  readonly templates: readonly { readonly id: string; readonly name: string; readonly image: SpaceUse }[]
  /** Ready sandboxes without an owner. */
  readonly spares: number
}

interface InventorySandbox {
  readonly view: SandboxView
  /** What its process holds, frozen or not; null without one. */
  readonly memoryBytes: number | null
  /** What its process has on the volume: its memory, where that lies there, and what it wrote; null without one. */
  readonly volume: SpaceUse | null
  /** What its saved state takes; null without one. */
  readonly image: SpaceUse | null
}

const nothing: SpaceUse = { bytes: 0, allocatedBytes: 0, sharedBytes: 0, extents: 0 }

/** Looks at every record, process and image: dear, and exact. */
export async function inventoryOf(ports: Ports): Promise<Inventory> {
  const { store, pool } = ports
  const sandboxes = store.allSandboxes().filter(({ state }) => state !== 'creating')
  const usage = async (image: ImageRef): Promise<SpaceUse> => (await standing(() => ports.engine.space({ image }))) ?? nothing
  return {
    sandboxes: await Promise.all(
      sandboxes.map(async (record) => ({
        view: viewOf(ports, record),
        ...(await processOf(ports, record.execution)),
        image: record.image && (await usage(record.image)),
      })),
    ),
    snapshots: await Promise.all(
      store
        .listSnapshots({ limit: Number.MAX_SAFE_INTEGER })
        .map(async ({ id, name, sandboxId, image }) => ({ id, name, sandboxId, image: await usage(image) })),
    ),
    templates: await Promise.all(
      store
        .allTemplates()
        .map(async ({ templateId, names, image }) => ({ id: templateId, name: names[0] ?? '', image: await usage(image) })),
    ),
    spares: pool.executions.length,
  }
}

async function processOf({ engine }: Ports, execution: string | null): Promise<Pick<InventorySandbox, 'memoryBytes' | 'volume'>> {
  if (execution === null) return { memoryBytes: null, volume: null }
  const [stats, volume] = await Promise.all([standing(() => engine.stats(execution)), standing(() => engine.space({ execution }))])
  return { memoryBytes: stats?.memoryBytes ?? null, volume }
}

/** One that is removed meanwhile takes nothing any more. */
async function standing<T>(look: () => Promise<T>): Promise<T | null> {
  try {
    return await look()
  } catch (error) {
    if (isKind(error, 'not_found', 'unavailable')) return null
    throw error
  }
}
