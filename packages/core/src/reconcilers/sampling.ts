import type { Ports } from '../app/ports.ts'
import type { Pass } from './loop.ts'

/** Promise M2. */
const everyMilliseconds = 2000
const keptMilliseconds = 24 * 3_600_000
const keptLogMilliseconds = 7 * keptMilliseconds
const pruneMilliseconds = 10 * 60_000

/** Takes a sample of every running sandbox, and forgets those of the day before. A nudge lets a new sandbox have its first at once. */
export function sampling(ports: Ports): Pass {
  let dueAt = 0
  let prunedAt = 0
  let known = new Set<string>()
  return async () => {
    const { clock, store, metrics, sampler } = ports
    const now = clock.now()
    const running = store.allSandboxes('running')
    const fresh = running.filter(({ execution }) => execution !== null && !known.has(execution))
    if (now < dueAt && fresh.length === 0) return dueAt - now
    known = new Set(running.flatMap(({ execution }) => (execution === null ? [] : [execution])))
    await sampler.sampleAll(ports, running)
    if (now - prunedAt >= pruneMilliseconds) {
      metrics.prune(now - keptMilliseconds)
      ports.journals.prune(now - keptLogMilliseconds)
      prunedAt = now
    }
    dueAt = now + everyMilliseconds
    return running.length === 0 ? Number.POSITIVE_INFINITY : everyMilliseconds
  }
}
