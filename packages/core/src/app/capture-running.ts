import type { ImageRef, SandboxRecord } from '../domain/sandbox.ts'
import { outcomeOf } from '../domain/transitions.ts'
import type { StagedImage } from '../ports/images.ts'
import { admitCopy } from './admit-sandbox.ts'
import { imageRoom } from './image-room.ts'
import type { Ports } from './ports.ts'
import { executionOf, requireSandbox } from './records.ts'
import { thawSurely } from './thaw-surely.ts'
import { Undo } from './undo.ts'

/**
 * Takes the state of a running sandbox at one moment into an image of `owner`. It stands still only while its memory is written;
 * the sync comes after. `keep` is called with the durable image before anybody else may touch the sandbox; when it fails, the
 * image is removed. Captures of one sandbox come one after the other.
 */
export async function captureRunning<T>(
  ports: Ports,
  id: string,
  owner: string,
  keep: (image: ImageRef, record: SandboxRecord) => T | Promise<T>,
): Promise<T> {
  const { engine, images } = ports
  return ports.transitions.queue(id, 'capture', async (signal) => {
    const record = requireSandbox(ports.store, id)
    outcomeOf(record.state, 'capture', id)
    const { execution, engineVersion } = ports.executions.get(executionOf(record))
    await using undo = new Undo(ports.log)
    const stats = await engine.stats(execution)
    const room = imageRoom(stats, 'memory')
    await admitCopy(ports, record, room)
    ports.holdings.noteFiles(id, stats.diskBytes)
    ports.holdings.share(id)
    const staged = await images.stage({ owner, generation: 1, kind: 'memory', engineVersion, diskBytes: stats.diskBytes }, room)
    undo.add('staged image', () => staged.discard())
    await ports.reached('capture staged')
    await engine.flush(execution)
    await ports.reached('capture flushed')
    signal.throwIfAborted()
    await cut(ports, execution, staged)
    ports.holdings.share(id)
    signal.throwIfAborted()
    const image = await staged.commit()
    undo.add('image', () => images.remove(image))
    await ports.reached('capture synced')
    signal.throwIfAborted()
    const kept = await keep(image, record)
    undo.release()
    return kept
  })
}

async function cut(ports: Ports, execution: string, staged: StagedImage): Promise<void> {
  await using undo = new Undo(ports.log)
  await ports.engine.freeze(execution)
  undo.add('freeze', () => thawSurely(ports, execution))
  await ports.reached('capture frozen')
  await ports.engine.capture(execution, staged.directory)
  await ports.reached('capture written')
  undo.release()
  await thawSurely(ports, execution)
  await ports.reached('capture thawed')
}
