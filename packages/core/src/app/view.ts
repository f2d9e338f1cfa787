import { endWhenIdle } from '../domain/idle.ts'
import type { SandboxRecord } from '../domain/sandbox.ts'
import type { Ports } from './ports.ts'
import type { SandboxView } from './use-cases.ts'

/** A record with what clients are shown of it: one that is being paused counts as paused (promise P9). */
export function viewOf({ transitions, activity }: Pick<Ports, 'transitions' | 'activity'>, record: SandboxRecord): SandboxView {
  const capturing = record.state === 'running' && transitions.current(record.id) === 'capture'
  const awake = record.state === 'running' ? 'running' : 'paused'
  const endAt = record.state === 'running' ? endWhenIdle(record, activity.of(record.id)) : record.endAt
  return { ...record, shown: { state: capturing ? 'snapshotting' : awake, endAt } }
}
