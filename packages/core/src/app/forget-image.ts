import { isKind } from '@torpor/contract'

import type { SandboxRecord } from '../domain/sandbox.ts'
import { dropImage } from './hold-image.ts'
import type { Ports } from './ports.ts'

/** Not on the way of the answer: every write of a record waits for the disk. */
const forgetMilliseconds = 250

/**
 * Drops the image that a running sandbox has outlived, once nothing reads it. Until then the record keeps naming it, so that
 * a crash in the middle of a resume finds it again. What fails here is swept at the next start.
 */
export function forgetImage(ports: Ports, running: SandboxRecord): void {
  const { image, id, state, generation, execution } = running
  if (!image || execution === null) return
  const forget = async (): Promise<void> => {
    await ports.engine.released(execution)
    if (ports.store.updateSandbox({ id, state, generation, execution }, { image: null })) await dropImage(ports, image)
  }
  ports.clock.after(forgetMilliseconds, () => {
    forget().catch((error: unknown) => {
      if (!isKind(error, 'not_found')) ports.log.warn({ id, error }, 'an outlived image was not removed')
    })
  })
}
