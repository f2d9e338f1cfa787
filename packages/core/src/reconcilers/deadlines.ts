import { isKind } from '@torpor/contract'

import { killSandbox } from '../app/kill-sandbox.ts'
import { pauseSandbox } from '../app/pause-sandbox.ts'
import type { Ports } from '../app/ports.ts'
import { endWhenIdle } from '../domain/idle.ts'
import type { SandboxRecord } from '../domain/sandbox.ts'
import type { Pass } from './loop.ts'

/** A sandbox whose end failed stays due: it is looked at again after this many milliseconds. */
const retryMilliseconds = 5000

/**
 * Ends every running sandbox whose time is over or that lies idle for too long: killed, or paused when its lifecycle says so. Does
 * not wait for the ends: one long pause must not delay the others' deadlines.
 */
export const deadlines =
  (ports: Ports): Pass =>
  async () => {
    const now = ports.clock.now()
    const waits = ports.store.allSandboxes('running').map((record) => {
      const endAt = endWhenIdle(record, ports.activity.of(record.id))
      if (endAt > now) return endAt - now
      if (ports.transitions.current(record.id) === undefined) void end(ports, record, record.endAt > now ? 'idle' : 'timeout')
      return retryMilliseconds
    })
    return Math.min(...waits)
  }

/** One sandbox's failure is its own: a pause that fails is tried again at the next pass, with the sandbox still running. */
async function end(ports: Ports, { id, lifecycle }: SandboxRecord, reason: 'idle' | 'timeout'): Promise<void> {
  try {
    if (lifecycle.onTimeout === 'pause') await pauseSandbox(ports, id, { reason, kind: lifecycle.pauseKind, until: 'durable' })
    else await killSandbox(ports, id, reason)
  } catch (error) {
    if (!isKind(error, 'not_found', 'conflict')) ports.log.error({ id, error }, 'a sandbox could not be ended at its time')
  }
}
