import { isKind } from '@torpor/contract'

import type { ImageRef } from '../domain/sandbox.ts'
import type { Ports } from './ports.ts'
import { applyAction, eventOf } from './records.ts'

/** What became of the reading of one saved state. */
export interface Verdict {
  readonly owner: { readonly kind: 'sandbox' | 'snapshot' | 'template'; readonly id: string }
  /** `noted`: read for the first time. */
  readonly result: 'noted' | 'intact' | 'damaged'
  /** What is wrong with it; for the user. */
  readonly message?: string
}

/** A saved state that can be read. */
export interface Subject {
  readonly owner: Verdict['owner']
  readonly image: ImageRef
  /** Since when it stands; milliseconds since the epoch. */
  readonly since: number
}

/** Every saved state on record: of paused sandboxes, snapshots and templates. */
export function subjectsOf({ store }: Pick<Ports, 'store'>): Subject[] {
  const sandboxes = store
    .allSandboxes('paused')
    .flatMap(({ id, image, pausedAt }): Subject[] => (image ? [{ owner: { kind: 'sandbox', id }, image, since: pausedAt ?? 0 }] : []))
  const snapshots = store
    .listSnapshots({ limit: Number.MAX_SAFE_INTEGER })
    .map(({ id, image, createdAt }): Subject => ({ owner: { kind: 'snapshot', id }, image, since: createdAt }))
  const templates = store
    .allTemplates()
    .map(({ templateId, image, createdAt }): Subject => ({ owner: { kind: 'template', id: templateId }, image, since: createdAt }))
  return [...sandboxes, ...snapshots, ...templates]
}

/** Reads all of them, one after the other, without a limit to the pace. */
export async function* verifyAll(ports: Ports, signal: AbortSignal): AsyncGenerator<Verdict> {
  for (const subject of subjectsOf(ports)) {
    const verdict = await verifySubject(ports, subject, { bytesPerSecond: Number.POSITIVE_INFINITY, signal })
    if (verdict) yield verdict
  }
}

/** Reads one; a sandbox whose saved state is damaged says so from now on. undefined: it was removed meanwhile. */
export async function verifySubject(
  ports: Ports,
  { owner, image }: Subject,
  pace: { readonly bytesPerSecond: number; readonly signal: AbortSignal },
): Promise<Verdict | undefined> {
  try {
    const result = await ports.images.verify(image, pace)
    ports.verified.note(image, ports.clock.now())
    if (owner.kind === 'sandbox') mark(ports, owner.id, image, null)
    return { owner, result }
  } catch (error) {
    if (isKind(error, 'not_found') && !ports.store.isImageNamed(image.name)) return undefined
    if (!isKind(error, 'damaged', 'not_found')) throw error
    ports.verified.note(image, ports.clock.now())
    ports.log.error({ owner, image: image.name, error, context: error.context }, 'a saved state is damaged')
    if (owner.kind === 'sandbox') mark(ports, owner.id, image, error.message)
    return { owner, result: 'damaged', message: error.message }
  }
}

/**
 * Writes what was found on the record, also that it is whole again. One whose process still is in memory has lost nothing yet: it
 * is not marked, and a connect thaws it.
 */
function mark(ports: Ports, id: string, image: ImageRef, damage: string | null): void {
  const record = ports.store.getSandbox(id)
  if (record?.state !== 'paused' || record.image?.name !== image.name || record.damage === damage) return
  if ((record.execution !== null && damage !== null) || ports.transitions.current(id) !== undefined) return
  const event = damage === null ? undefined : eventOf(record, ports.clock.now(), 'damaged', 'verification')
  applyAction(ports.store, record, 'break', { damage }, event)
}
