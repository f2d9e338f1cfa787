import { TorporError, newExecutionId } from '@torpor/contract'

import { effectiveTimeout, endAfter } from '../domain/deadlines.ts'
import type { SandboxRecord } from '../domain/sandbox.ts'
import { outcomeOf } from '../domain/transitions.ts'
import { admitSandbox, lookBeforeAdmission } from './admit-sandbox.ts'
import { dropImage } from './hold-image.ts'
import { pauseSandbox } from './pause-sandbox.ts'
import type { Ports } from './ports.ts'
import { applyAction, eventOf, identityOf, requireSandbox, routeOf } from './records.ts'
import { findSource } from './source.ts'
import { specOf } from './spec.ts'
import { type Seed, startExecution } from './start-execution.ts'
import { Undo } from './undo.ts'

export interface ResetCommand {
  /** Id or name; undefined: the newest snapshot of this sandbox, else what it was created from. */
  readonly snapshot?: string | undefined
  /** undefined: the timeout it had. */
  readonly timeoutSeconds?: number | undefined
  /** false: it is paused afterwards. */
  readonly resume: boolean
}

/**
 * Rolls a sandbox back in place: an earlier state under the same id, tokens and host name; running or paused. Until the earlier
 * state runs, the present one stays as it is. @throws TorporError `not_found`, `conflict` when there is nothing to go back to.
 */
export async function resetSandbox(ports: Ports, id: string, command: ResetCommand): Promise<SandboxRecord> {
  requireSandbox(ports.store, id)
  if (ports.transitions.current(id) === 'pause') await ports.transitions.settled(id)
  const running = await ports.transitions.queue(id, 'reset', (signal) => reset(ports, id, command, signal))
  ports.nudge(running)
  if (!command.resume) await pauseSandbox(ports, id, { reason: 'reset', kind: 'memory', until: 'durable' })
  return requireSandbox(ports.store, id)
}

async function reset(ports: Ports, id: string, command: ResetCommand, signal: AbortSignal): Promise<SandboxRecord> {
  const { store, engine, clock, log, settings } = ports
  const record = requireSandbox(store, id)
  outcomeOf(record.state, 'reset', id)
  const seed = seedOf(ports, record, command.snapshot)
  const timeoutSeconds = effectiveTimeout(command.timeoutSeconds ?? record.timeoutSeconds, settings)
  // A running one gives back its own place in a moment.
  const held = await lookBeforeAdmission(ports, record.resources, seed.image)
  if (record.state === 'paused') admitSandbox(ports, record.resources, held)
  ports.holdings.noteFiles(id, held)
  await using undo = new Undo(log)
  const spec = specOf(record, newExecutionId())
  const execution = await startExecution(ports, spec, seed, identityOf(record, ports), undo)
  await ports.reached('reset restored')
  signal.throwIfAborted()
  const now = clock.now()
  const endAt = endAfter(now, timeoutSeconds, { startedAt: now, maxRunSeconds: settings.maxRunSeconds })
  const times = { startedAt: now, endAt, timeoutSeconds, pausedAt: null }
  const patch = { execution: spec.execution, image: null, damage: null, generation: record.generation + 1, ...times }
  const running = applyAction(store, record, 'reset', patch, eventOf(record, now, 'reset', command.snapshot ?? 'api'))
  undo.release()
  await ports.reached('reset committed')
  ports.executions.put(execution)
  ports.routes.suspend(id)
  ports.routes.publish(routeOf(running, ports.tokens, execution.address))
  if (record.execution !== null) {
    ports.executions.remove(record.execution)
    await engine.destroy(record.execution)
  }
  if (record.image) await dropImage(ports, record.image)
  await ports.reached('reset ended')
  return running
}

function seedOf(ports: Ports, record: SandboxRecord, asked: string | undefined): Seed {
  if (asked !== undefined) {
    const snapshot = ports.store.getSnapshot(asked)
    if (snapshot?.sandboxId === record.id) return findSource(ports, snapshot.id)
    throw new TorporError('not_found', `snapshot '${asked}' of sandbox "${record.id}" not found`)
  }
  const [newest] = ports.store.listSnapshots({ sandboxId: record.id, limit: 1 })
  if (newest) return findSource(ports, newest.id)
  const build = ports.store.templates.ready(record.buildId)
  if (build) return { image: build.image, holder: null }
  const snapshot = ports.store.getSnapshot(record.templateId)
  if (snapshot) return findSource(ports, snapshot.id)
  throw new TorporError('conflict', `Sandbox "${record.id}" has no snapshot, and what it was created from is not there any more`)
}
