import { isKind } from '@torpor/contract'

import { compactImage } from '../app/compact-image.ts'
import type { Ports } from '../app/ports.ts'
import { type Subject, subjectsOf } from '../app/verify-images.ts'
import { isFragmented } from '../domain/fragmentation.ts'
import type { Pass } from './loop.ts'

/** Who comes back at once finds the process that went to sleep. */
const restMilliseconds = 5000

/** Puts saved states into one piece before they lie in so many that pauses and wakes become slow; each of them is looked at once. */
export function compaction(ports: Ports, stopping: AbortSignal): Pass {
  let seen = new Set<string>()
  return async () => {
    if (!ports.volume.shares) return Number.POSITIVE_INFINITY
    const subjects = subjectsOf(ports)
    seen = new Set(subjects.map(({ image }) => image.name).filter((name) => seen.has(name)))
    const left = subjects.filter(({ image }) => !seen.has(image.name)).toSorted((a, b) => a.since - b.since)
    for (const subject of left) {
      const rest = subject.since + restMilliseconds - ports.clock.now()
      if (rest > 0) return rest
      if (stopping.aborted) return Number.POSITIVE_INFINITY
      seen.add(subject.image.name)
      if (await liesInPieces(ports, subject)) await compactImage(ports, subject, stopping)
    }
    return Number.POSITIVE_INFINITY
  }
}

/** One that was removed meanwhile does not. */
async function liesInPieces({ engine }: Ports, { image }: Subject): Promise<boolean> {
  try {
    return isFragmented(await engine.space({ image }))
  } catch (error) {
    if (isKind(error, 'not_found', 'unavailable')) return false
    throw error
  }
}
