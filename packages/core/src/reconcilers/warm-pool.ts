import { holdImage } from '../app/hold-image.ts'
import type { Ports } from '../app/ports.ts'
import { surroundingsOf } from '../app/records.ts'
import type { ImageRef } from '../domain/sandbox.ts'
import { wantedSpares } from '../domain/spares.ts'
import type { Pass } from './loop.ts'

/** A moment of quiet after a create, whose first commands should not compete with the making of its successor. */
const settleMilliseconds = 100

/** A spare of a build of which there was none yet is taken to hold this; a third of it is usual for `base`. */
const bytesOfUnknown = 96 * 1024 * 1024

/** Keeps the spares of every template at the number that its use and the memory allow. */
export const warmPool =
  (ports: Ports): Pass =>
  async () => {
    const { settings, store, clock, pool } = ports
    if (settings.warmPoolSize === 0) return Number.POSITIVE_INFINITY
    const settled = new Promise<void>((resolve) => void clock.after(settleMilliseconds, resolve))
    // A stop does not wait for it: the clock keeps no process alive.
    await Promise.race([settled, pool.closing])
    const builds = store.allTemplates()
    const now = clock.now()
    const bytes = Math.max(settings.warmPoolSize * bytesOfUnknown, settings.warmMemoryBytes / 4)
    const demands = builds.map((build) => pool.demandFor(build, now, bytesOfUnknown))
    const hold = (image: ImageRef): AsyncDisposable => holdImage(ports, image)
    await pool.refill(
      { ...ports, hold, surroundings: surroundingsOf(settings) },
      builds,
      wantedSpares(demands, now, { size: settings.warmPoolSize, bytes }),
    )
    return Number.POSITIVE_INFINITY
  }
