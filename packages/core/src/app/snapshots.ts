import { TorporError, newTemplateId } from '@torpor/contract'

import type { SnapshotQuery } from '../domain/listing.ts'
import type { Snapshot } from '../domain/sandbox.ts'
import { parseSnapshotName } from '../domain/snapshot-name.ts'
import { captureRunning } from './capture-running.ts'
import { dropImage } from './hold-image.ts'
import type { Ports } from './ports.ts'
import { eventOf, requireSandbox } from './records.ts'

/**
 * Keeps the state of a running sandbox, which stands still only for the capture. A name that is in use moves to the new one.
 * @throws TorporError `conflict` when it is not running or a template bears the name, `invalid_argument` for the name.
 */
export async function createSnapshot(ports: Ports, id: string, asked: string | undefined): Promise<Snapshot> {
  const { store, clock } = ports
  const naming = asked === undefined ? { name: null, tag: 'default' } : parseSnapshotName(asked)
  if (naming.name !== null && store.templates.get(naming.name)) {
    throw new TorporError('conflict', `name: '${naming.name}' is the name of a template. Choose another one`)
  }
  const { state } = requireSandbox(store, id)
  if (state !== 'running') throw new TorporError('conflict', `Sandbox "${id}" is paused. Connect to it first, then take the snapshot`)
  const snapshotId = newTemplateId()
  return captureRunning(ports, id, snapshotId, async (image, record) => {
    const { templateId, secure, base, resources, env, defaults } = record
    const createdAt = clock.now()
    const state = { image, base, resources, env, defaults }
    const snapshot = { id: snapshotId, ...naming, sandboxId: id, secure, templateId, ...state, createdAt }
    store.insertSnapshot(snapshot, eventOf(record, createdAt, 'snapshotted', snapshotId))
    await ports.reached('snapshot recorded')
    return snapshot
  })
}

export interface SnapshotPage {
  readonly snapshots: readonly Snapshot[]
  /** Absent on the last page. */
  readonly next?: NonNullable<SnapshotQuery['after']>
}

/** One page; asks for one more than wanted, so that the last page is known to be the last. */
export function listSnapshots({ store }: Pick<Ports, 'store'>, query: SnapshotQuery): SnapshotPage {
  const found = store.listSnapshots({ ...query, limit: query.limit + 1 })
  const snapshots = found.slice(0, query.limit)
  const last = snapshots.at(-1)
  if (found.length <= query.limit || !last) return { snapshots }
  return { snapshots, next: { createdAt: last.createdAt, id: last.id } }
}

/** Forgets a snapshot; who just starts from it still can. @throws TorporError `not_found`. */
export async function deleteSnapshot(ports: Ports, idOrName: string): Promise<void> {
  const snapshot = ports.store.getSnapshot(idOrName)
  if (!snapshot || !ports.store.deleteSnapshot(snapshot.id))
    throw new TorporError('not_found', `template or snapshot '${idOrName}' not found`)
  await dropImage(ports, snapshot.image)
}
