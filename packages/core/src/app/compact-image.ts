import { isKind } from '@torpor/contract'

import { evictSandbox } from './evict-sandbox.ts'
import { holdImage } from './hold-image.ts'
import type { Ports } from './ports.ts'
import type { Subject } from './verify-images.ts'

/**
 * Puts the pages of a saved state into one piece. A frozen process has its memory in as many pieces, and hands them on to its next image: it
 * is given up, and the next resume starts from the image.
 */
export async function compactImage(ports: Ports, { owner, image }: Subject, signal: AbortSignal): Promise<void> {
  await using _held = holdImage(ports, image)
  try {
    if (owner.kind === 'sandbox') await evictSandbox(ports, owner.id)
    await ports.engine.compact(image, signal)
  } catch (error) {
    if (signal.aborted || (isKind(error, 'not_found') && !ports.store.isImageNamed(image.name))) return
    ports.log.warn({ owner, image: image.name, error }, 'a saved state lies in many pieces, and could not be put into one')
  }
}
