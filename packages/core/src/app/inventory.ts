import { isKind } from '@torpor/contract'

import type { ImageRef } from '../domain/sandbox.ts'
import type { ImageUsage } from '../ports/images.ts'
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
    readonly image: ImageUsage
  }[]
  readonly templates: readonly { readonly id: string; readonly name: string; readonly image: ImageUsage }[]
  /** Ready sandboxes without an owner. */
  readonly spares: number
}

interface InventorySandbox {
  readonly view: SandboxView
  /** What its process holds, frozen or not; null without one. */
  readonly memoryBytes: number | null
  /** What its saved state takes; null without one. */
  readonly image: ImageUsage | null
}

const nothing: ImageUsage = { bytes: 0, allocatedBytes: 0 }

/** Looks at every record, process and image: dear, and exact. */
export async function inventoryOf(ports: Ports): Promise<Inventory> {
  const { store, pool } = ports
  const sandboxes = store.allSandboxes().filter(({ state }) => state !== 'creating')
  const usage = (image: ImageRef): Promise<ImageUsage> => usageOf(ports, image)
  return {
    sandboxes: await Promise.all(
      sandboxes.map(async (record) => ({
        view: viewOf(ports, record),
        memoryBytes: await memoryOf(ports, record.execution),
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

async function memoryOf({ engine }: Ports, execution: string | null): Promise<number | null> {
  if (execution === null) return null
  try {
    return (await engine.stats(execution)).memoryBytes
  } catch (error) {
    if (isKind(error, 'not_found', 'unavailable')) return null
    throw error
  }
}

/** One that is removed meanwhile takes nothing any more. */
async function usageOf({ images }: Ports, image: ImageRef): Promise<ImageUsage> {
  try {
    return await images.usage(image)
  } catch (error) {
    if (isKind(error, 'not_found')) return nothing
    throw error
  }
}
