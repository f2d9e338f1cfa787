import type { ImageRef, SandboxRecord } from '../domain/sandbox.ts'
import { outcomeOf } from '../domain/transitions.ts'
import type { Execution } from '../ports/engine.ts'
import type { Ports } from './ports.ts'
import { applyAction, eventOf, executionOf, requireSandbox, routeOf } from './records.ts'
import { Undo } from './undo.ts'

/**
 * The one way to pause, whoever asks: freeze → capture → sync → rename → commit the record. A crash in between leaves the
 * sandbox running with its old generation; any failure thaws it and is reported. Joins a pause in progress.
 */
export async function pauseSandbox(ports: Ports, id: string, reason: string): Promise<void> {
  requireSandbox(ports.store, id)
  await ports.transitions.run(id, 'pause', (signal) => pause(ports, id, reason, signal))
}

async function pause(ports: Ports, id: string, reason: string, signal: AbortSignal): Promise<void> {
  const { store, engine, clock, log, routes } = ports
  const record = requireSandbox(store, id)
  outcomeOf(record.state, 'pause', id)
  const execution = ports.executions.get(executionOf(record))

  await using undo = new Undo(log)
  routes.suspend(id)
  undo.add('route', () => routes.publish(routeOf(record, ports.tokens, execution.address)))
  await engine.freeze(execution.execution)
  undo.add('freeze', () => engine.thaw(execution.execution))
  const image = await captureFrozen(ports, record, execution, undo)
  signal.throwIfAborted()
  const now = clock.now()
  const patch = { generation: record.generation + 1, image, pausedAt: now }
  const paused = applyAction(store, record, 'pause', patch, eventOf(record, now, 'paused', reason))
  undo.release()
  if (record.image) await ports.images.remove(record.image)
  ports.nudge(paused)
}

/** Writes the image of a frozen execution and makes it durable; `undo` holds its removal. */
async function captureFrozen({ engine, images }: Ports, record: SandboxRecord, execution: Execution, undo: Undo): Promise<ImageRef> {
  const { memoryBytes } = await engine.stats(execution.execution)
  const staged = await images.stage(record.id, record.generation + 1, execution.engineVersion, memoryBytes)
  undo.add('staged image', () => staged.discard())
  await engine.capture(execution.execution, staged.directory)
  const image = await staged.commit()
  undo.add('image', () => images.remove(image))
  return image
}
