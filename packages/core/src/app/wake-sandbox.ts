import type { Route } from '@torpor/contract'

import { wakeTimeout } from '../domain/deadlines.ts'
import { wakesOnTraffic } from '../domain/wake.ts'
import type { Ports } from './ports.ts'
import { requireSandbox, routeOf } from './records.ts'
import { resumeSandbox } from './resume-sandbox.ts'

/**
 * Traffic to `port` reached a sandbox without an address: wakes it if its owner allowed that, or waits for the resume in progress.
 * undefined: it stays asleep.
 */
export async function wakeSandbox(ports: Ports, id: string, port: number): Promise<Route | undefined> {
  const seen = ports.store.getSandbox(id)
  if (!seen || seen.state === 'creating') return undefined
  const resuming = ports.transitions.current(id) === 'resume'
  if (!wakesOnTraffic(seen, port) && !resuming) return undefined
  await resumeSandbox(ports, id, { timeoutSeconds: wakeTimeout(seen.timeoutSeconds, ports.settings), reason: 'traffic' })
  const record = requireSandbox(ports.store, id)
  if (record.state !== 'running' || record.execution === null) return undefined
  return routeOf(record, ports.tokens, ports.executions.get(record.execution).address)
}
