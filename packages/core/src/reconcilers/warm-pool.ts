import type { Ports } from '../app/ports.ts'
import type { Pass } from './loop.ts'

/** A moment of quiet after a create, whose first commands should not compete with the making of its successor. */
const settleMilliseconds = 100

/** Keeps the spares of every template complete. */
export const warmPool =
  (ports: Ports): Pass =>
  async () => {
    const { settings, store, clock, pool } = ports
    if (settings.warmPoolSize > 0) {
      const settled = new Promise<void>((resolve) => void clock.after(settleMilliseconds, resolve))
      // A stop does not wait for it: the clock keeps no process alive.
      await Promise.race([settled, pool.closing])
      await pool.fill(ports, store.allTemplates(), settings.warmPoolSize)
    }
    return Number.POSITIVE_INFINITY
  }
