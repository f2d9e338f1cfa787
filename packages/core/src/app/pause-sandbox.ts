import { TorporError, isKind } from '@torpor/contract'

import type { ImageKind, ImageRef, SandboxRecord } from '../domain/sandbox.ts'
import { outcomeOf } from '../domain/transitions.ts'
import type { Execution } from '../ports/engine.ts'
import type { StagedImage } from '../ports/images.ts'
import { dropImage } from './hold-image.ts'
import { imageRoom } from './image-room.ts'
import { lastLook } from './last-look.ts'
import type { Ports } from './ports.ts'
import { applyAction, eventOf, executionOf, requireSandbox, routeOf } from './records.ts'
import { thawSurely } from './thaw-surely.ts'
import { Undo } from './undo.ts'

/** How a sandbox goes to sleep, and when the caller wants to be answered. */
export interface PauseOptions {
  readonly reason: string
  /** What is kept. */
  readonly kind: ImageKind
  /** `frozen`: as soon as it stands still and the intent is on record (promise P8); `durable`: when its image is on disk. */
  readonly until: 'frozen' | 'durable'
}

/**
 * The one way to pause, whoever asks: flush while it runs → freeze → record the intent → capture → sync → rename → commit the record. A server that
 * dies in between finds the frozen process and finishes; any failure thaws it and is reported. Joins a pause in progress.
 */
export async function pauseSandbox(ports: Ports, id: string, options: PauseOptions): Promise<void> {
  const seen = requireSandbox(ports.store, id)
  const isOver = seen.state === 'paused' && ports.transitions.current(id) === 'pause'
  if (isOver || (seen.state === 'pausing' && options.until === 'frozen')) {
    throw new TorporError('conflict', `Sandbox "${id}" is paused already`)
  }
  const frozen = Promise.withResolvers<void>()
  const ended = ports.transitions.run(id, 'pause', (signal) => pause(ports, id, options, { signal, onFrozen: frozen.resolve }))
  if (options.until === 'durable') return ended
  ended.catch((error: unknown) => {
    if (!isKind(error, 'not_found', 'conflict')) ports.log.error({ id, error }, 'a pause failed; the sandbox goes on')
  })
  // Who joined another's pause waits for its end.
  await Promise.race([frozen.promise, ended])
}

interface Progress {
  readonly signal: AbortSignal
  /** The sandbox stands still, and the intent is on record. */
  readonly onFrozen: () => void
}

async function pause(ports: Ports, id: string, options: PauseOptions, { signal, onFrozen }: Progress): Promise<void> {
  const { engine, clock, log, routes } = ports
  const record = requireSandbox(ports.store, id)
  outcomeOf(record.state, 'pause', id)
  const execution = ports.executions.get(executionOf(record))

  await using undo = new Undo(log)
  const staged = await stageImage(ports, record, execution, options.kind)
  undo.add('staged image', () => staged.discard())
  await ports.reached('pause staged')
  await engine.flush(execution.execution)
  await ports.reached('pause flushed')
  signal.throwIfAborted()
  routes.suspend(id)
  undo.add('route', () => routes.publish(routeOf(record, ports.tokens, execution.address)))
  await lastLook(ports, record)
  await engine.freeze(execution.execution)
  undo.add('freeze', () => thawSurely(ports, execution.execution))
  await ports.reached('pause frozen')
  signal.throwIfAborted()
  const now = clock.now()
  const patch = { pausing: options.kind, pausedAt: now }
  const pausing = applyAction(ports.store, record, 'pause', patch, eventOf(record, now, 'pausing', options.reason))
  undo.add('intent', () => revert(ports, pausing))
  await ports.reached('pause recorded')
  onFrozen()
  await finish(ports, pausing, execution, staged, { reason: options.reason, signal, undo })
}

/**
 * For a restarted server: the record says that it was to sleep, its process stands still. Ends the pause, or thaws it when that
 * fails.
 */
export async function finishPause(ports: Ports, id: string): Promise<void> {
  await ports.transitions.run(id, 'pause', async (signal) => {
    const record = requireSandbox(ports.store, id)
    if (record.state !== 'pausing' || record.pausing === null) return
    const execution = ports.executions.get(executionOf(record))
    await using undo = new Undo(ports.log)
    undo.add('route', () => ports.routes.publish(routeOf(record, ports.tokens, execution.address)))
    undo.add('freeze', () => thawSurely(ports, execution.execution))
    undo.add('intent', () => revert(ports, record))
    const staged = await stageImage(ports, record, execution, record.pausing)
    undo.add('staged image', () => staged.discard())
    await finish(ports, record, execution, staged, { reason: 'pause interrupted', signal, undo })
  })
}

interface Finish {
  readonly reason: string
  readonly signal: AbortSignal
  readonly undo: Undo
}

async function finish(
  ports: Ports,
  pausing: SandboxRecord,
  execution: Execution,
  staged: StagedImage,
  { reason, signal, undo }: Finish,
): Promise<void> {
  const { engine, images, clock } = ports
  const kind = pausing.pausing ?? 'memory'
  await (kind === 'files'
    ? engine.captureFiles(execution.execution, staged.directory)
    : engine.capture(execution.execution, staged.directory))
  await ports.reached('pause captured')
  const image = await staged.commit()
  undo.add('image', () => images.remove(image))
  await ports.reached('pause synced')
  signal.throwIfAborted()
  const paused = commit(ports, pausing, image, eventOf(pausing, clock.now(), 'paused', reason))
  undo.release()
  await ports.reached('pause committed')
  if (pausing.image) await dropImage(ports, pausing.image)
  if (paused.execution === null) {
    ports.executions.remove(execution.execution)
    await engine.destroy(execution.execution)
  }
  await ports.reached('pause ended')
  ports.nudge(paused)
}

/** A process whose memory is not kept has nothing to wait for. */
function commit(
  { store }: Ports,
  pausing: SandboxRecord,
  image: ImageRef,
  event: Parameters<Ports['store']['recordEvent']>[0],
): SandboxRecord {
  const patch = { generation: pausing.generation + 1, image, pausing: null, ...(image.kind === 'files' && { execution: null }) }
  return applyAction(store, pausing, 'commit', patch, event)
}

function revert({ store, clock }: Ports, pausing: SandboxRecord): void {
  applyAction(store, pausing, 'revert', { pausing: null, pausedAt: null }, eventOf(pausing, clock.now(), 'resumed', 'pause failed'))
}

/** A place for the next image of a sandbox, with room for what its process holds now. @throws TorporError `no_space`. */
export async function stageImage(
  { engine, images }: Ports,
  record: SandboxRecord,
  { execution, engineVersion }: Execution,
  kind: ImageKind,
): Promise<StagedImage> {
  const stats = await engine.stats(execution)
  const draft = { owner: record.id, generation: record.generation + 1, kind, engineVersion, diskBytes: stats.diskBytes }
  return images.stage(draft, imageRoom(stats, kind))
}
