import { isKind } from '@torpor/contract'

import { activeSandboxes, keepPromises, lookWhenShort, spaceOf } from '../app/admit-sandbox.ts'
import type { Ports } from '../app/ports.ts'
import type { Pass } from './loop.ts'

/** The disk below a volume in a file is filled by others as well. */
const everyMilliseconds = 2000

/**
 * Keeps free on the volume what active sandboxes may still need of it: what they write beyond their assured part is refused before.
 * Looks at what those have of files that an earlier server has left; a start and a copy note it.
 */
export function volumeSpace(ports: Ports): Pass {
  let lacked = false
  return async () => {
    const { volume, holdings, log } = ports
    if (!volume.shares) return Number.POSITIVE_INFINITY
    const active = activeSandboxes(ports)
    holdings.keep(new Set(active.flatMap(({ id }) => (id === undefined ? [] : [id]))))
    await Promise.all(active.map(({ id, execution }) => look(ports, id, execution)))
    await lookWhenShort(ports, 0)
    const space = spaceOf(ports)
    keepPromises(ports, space.promisedBytes)
    const lacks = space.promisedBytes > space.freeBytes
    if (lacks && !lacked) log.warn({ ...space }, 'the volume has less room than running sandboxes are promised: free some, or pause some')
    lacked = lacks
    return active.length === 0 ? Number.POSITIVE_INFINITY : everyMilliseconds
  }
}

/** One that is still being made is looked at after the nudge of its end. */
async function look({ engine, holdings }: Ports, id: string | undefined, execution: string | null | undefined): Promise<void> {
  if (!id || !execution || holdings.filesOf(id) !== undefined) return
  try {
    holdings.noteFiles(id, (await engine.stats(execution)).diskBytes)
  } catch (error) {
    if (!isKind(error, 'not_found', 'unavailable', 'conflict')) throw error
  }
}
