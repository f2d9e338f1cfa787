import { newExecutionId } from '@torpor/contract'

import type { SandboxRecord } from '../domain/sandbox.ts'
import type { Execution } from '../ports/engine.ts'
import { dropImage } from './hold-image.ts'
import { stageImage } from './pause-sandbox.ts'
import type { Ports } from './ports.ts'
import { applyAction, eventOf, usableImage } from './records.ts'
import { specOf } from './spec.ts'
import { fromImage } from './start-execution.ts'
import { Undo } from './undo.ts'

/**
 * Keeps of a sandbox that was paused with its memory the files only, so that the next resume boots afresh (e2b: `onResume: 'reboot'`).
 * Until they are on disk the memory stays what a resume would find.
 */
export async function forgetMemory(ports: Ports, record: SandboxRecord, signal: AbortSignal): Promise<SandboxRecord> {
  if (record.image?.kind === 'files') return record
  const { engine, images, clock } = ports
  await using undo = new Undo(ports.log)
  const execution = await standing(ports, record, undo)
  const staged = await stageImage(ports, record, execution, 'files')
  undo.add('staged image', () => staged.discard())
  await engine.captureFiles(execution.execution, staged.directory)
  const files = await staged.commit()
  undo.add('image', () => images.remove(files))
  await ports.reached('memory left out')
  signal.throwIfAborted()
  const patch = { generation: record.generation + 1, image: files, damage: null, execution: null }
  const forgotten = applyAction(ports.store, record, 'forget', patch, eventOf(record, clock.now(), 'paused', 'memory forgotten'))
  undo.release()
  await ports.reached('memory forgotten')
  ports.executions.remove(execution.execution)
  await engine.destroy(execution.execution)
  if (record.image) await dropImage(ports, record.image)
  return forgotten
}

/** A process that stands still: the one that went to sleep, or one from the image, which nothing reaches. */
async function standing(ports: Ports, record: SandboxRecord, undo: Undo): Promise<Execution> {
  if (record.execution !== null) return ports.executions.get(record.execution)
  const spec = specOf(record, newExecutionId())
  const execution = await fromImage(ports, spec, usableImage(record))
  undo.add('execution', () => ports.engine.destroy(spec.execution))
  await ports.engine.freeze(spec.execution)
  return execution
}
