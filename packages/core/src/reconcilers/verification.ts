import type { Ports } from '../app/ports.ts'
import { subjectsOf, verifySubject } from '../app/verify-images.ts'
import type { Pass } from './loop.ts'

/** A saved state is read once a day, the first time an hour after it was made, at a pace that nobody feels. */
const everyMilliseconds = 24 * 3_600_000
const restMilliseconds = 3_600_000
const bytesPerSecond = 16 * 1024 * 1024

/** Reads saved states in the background, the one that waits longest first, so that damage is found before it is needed. */
export const verification =
  (ports: Ports, stopping: AbortSignal): Pass =>
  async () => {
    const now = ports.clock.now()
    const subjects = subjectsOf(ports)
    ports.verified.keep(subjects)
    const due = subjects
      .map((subject) => ({
        subject,
        dueAt: (ports.verified.lastOf(subject.image) ?? subject.since + restMilliseconds - everyMilliseconds) + everyMilliseconds,
      }))
      .toSorted((a, b) => a.dueAt - b.dueAt)[0]
    if (!due) return Number.POSITIVE_INFINITY
    if (due.dueAt > now) return due.dueAt - now
    await verifySubject(ports, due.subject, { bytesPerSecond, signal: stopping }).catch((error: unknown) => {
      if (!stopping.aborted) throw error
    })
    return 0
  }
