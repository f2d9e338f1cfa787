import { TorporError } from '@torpor/contract'

import { effectiveTimeout, endAfter } from '../domain/deadlines.ts'
import type { SandboxRecord } from '../domain/sandbox.ts'
import type { Ports } from './ports.ts'
import { applyAction, requireSandbox } from './records.ts'
import { resumeSandbox } from './resume-sandbox.ts'

export interface Connected {
  readonly sandbox: SandboxRecord
  readonly resumed: boolean
}

/**
 * A running sandbox is extended to `now + timeout`, never shortened; a paused one is resumed with exactly that timeout.
 * Waits for a pause in progress and then resumes (promise P11). `reboot`: a paused one comes back with its files only.
 */
export async function connectSandbox(ports: Ports, id: string, askedSeconds: number | undefined, reboot = false): Promise<Connected> {
  const timeoutSeconds = effectiveTimeout(askedSeconds, ports.settings)
  const askedAt = ports.clock.now()
  const seen = requireSandbox(ports.store, id)
  // Whatever is being done to it has its end first: what only just comes back is not answered for, what is killed is gone.
  const wasAsleep = seen.state !== 'running' || ports.transitions.current(id) !== undefined
  if (wasAsleep) await resumeSandbox(ports, id, { timeoutSeconds, reason: 'api', reboot })
  // Whoever joined another's resume may have asked for more time than that one.
  ports.activity.touch(id)
  return { sandbox: extend(ports, requireSandbox(ports.store, id), askedAt, timeoutSeconds), resumed: wasAsleep }
}

/** The old resume call: like connect, but a running sandbox is a conflict. */
export async function resumePaused(
  ports: Ports,
  id: string,
  options: { readonly timeoutSeconds?: number | undefined; readonly autoPause?: boolean | undefined },
): Promise<SandboxRecord> {
  const timeoutSeconds = effectiveTimeout(options.timeoutSeconds, ports.settings)
  const record = requireSandbox(ports.store, id)
  if (record.state === 'running' && ports.transitions.current(id) === undefined) {
    throw new TorporError('conflict', `Sandbox "${id}" is already running`)
  }
  const { autoPause } = options
  const lifecycle =
    autoPause === undefined ? undefined : { ...record.lifecycle, onTimeout: autoPause ? ('pause' as const) : ('kill' as const) }
  await resumeSandbox(ports, id, { timeoutSeconds, reason: 'api', ...(lifecycle && { lifecycle }) })
  return requireSandbox(ports.store, id)
}

/** endAt = now + timeout, longer or shorter (promise L3). */
export function setTimeoutOf(ports: Ports, id: string, timeoutSeconds: number): void {
  effectiveTimeout(timeoutSeconds, ports.settings)
  const record = requireRunning(ports, id)
  const endAt = endAfter(ports.clock.now(), timeoutSeconds, { ...ports.settings, ...record })
  ports.activity.touch(id)
  ports.nudge(applyAction(ports.store, record, 'extend', { endAt, timeoutSeconds }))
}

/** endAt = max(endAt, now + duration). */
export function refreshSandbox(ports: Ports, id: string, durationSeconds: number): void {
  ports.activity.touch(id)
  extend(ports, requireRunning(ports, id), ports.clock.now(), durationSeconds)
}

function extend(ports: Ports, record: SandboxRecord, now: number, seconds: number): SandboxRecord {
  const endAt = endAfter(now, seconds, { ...ports.settings, ...record })
  if (endAt <= record.endAt) return record
  const extended = applyAction(ports.store, record, 'extend', { endAt })
  ports.nudge(extended)
  return extended
}

function requireRunning(ports: Ports, id: string): SandboxRecord {
  const record = requireSandbox(ports.store, id)
  if (record.state !== 'running') throw new TorporError('not_found', `Sandbox "${id}" is not running`)
  return record
}
