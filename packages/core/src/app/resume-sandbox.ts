import { TorporError, isKind, newExecutionId } from '@torpor/contract'

import { endAfter } from '../domain/deadlines.ts'
import type { SandboxEvent, SandboxRecord } from '../domain/sandbox.ts'
import { outcomeOf } from '../domain/transitions.ts'
import type { Execution } from '../ports/engine.ts'
import { admitSandbox, lookBeforeAdmission } from './admit-sandbox.ts'
import { forgetImage } from './forget-image.ts'
import { forgetMemory } from './forget-memory.ts'
import type { Ports } from './ports.ts'
import { applyAction, eventOf, identityOf, requireSandbox, routeOf, usableImage } from './records.ts'
import { specOf } from './spec.ts'
import { startExecution } from './start-execution.ts'
import { Undo } from './undo.ts'

/** How a sandbox comes back: its time from now on, and who asked. */
export interface ResumeOptions {
  readonly timeoutSeconds: number
  readonly reason: string
  /** Replaces the lifecycle when the old resume call says so. */
  readonly lifecycle?: SandboxRecord['lifecycle']
  /** Boots afresh on the files, whatever was kept of the memory. */
  readonly reboot?: boolean
}

/** Brings a paused sandbox back, from its frozen process if that is still in memory, else from its image. Joins a resume in progress. */
export async function resumeSandbox(ports: Ports, id: string, options: ResumeOptions): Promise<void> {
  const held = await lookFor(ports, id)
  await ports.transitions.run(id, 'resume', async (signal) => {
    const asleep = requireSandbox(ports.store, id)
    if (asleep.state === 'running') return
    outcomeOf(asleep.state, 'resume', id)
    admitSandbox(ports, asleep.resources, held)
    ports.holdings.noteFiles(id, held)
    const record = options.reboot === true ? await forgetMemory(ports, asleep, signal) : asleep
    const running =
      (await thawFrozen(ports, record, options)) ?? (await restoreImage(ports, requireSandbox(ports.store, id), options, signal))
    ports.nudge(running)
  })
}

/** Looked at before it counts as one that returns. A damaged image is met when it is needed. */
async function lookFor(ports: Ports, id: string): Promise<number> {
  const { image, resources, state } = requireSandbox(ports.store, id)
  return state === 'running' ? 0 : lookBeforeAdmission(ports, resources, image ?? undefined).catch(() => 0)
}

/**
 * The fast tier. The record is committed before the thaw: a crash in between leaves a running record with a frozen process,
 * which a restarted server thaws; the other order could fall back to the older image unseen.
 */
async function thawFrozen(ports: Ports, record: SandboxRecord, options: ResumeOptions): Promise<SandboxRecord | undefined> {
  if (record.execution === null) return undefined
  const execution = ports.executions.get(record.execution)
  const running = applyAction(ports.store, record, 'resume', timesFrom(ports, options), resumed(ports, record, options))
  await ports.reached('resume committed')
  try {
    await ports.engine.thaw(execution.execution)
  } catch (error) {
    ports.log.warn({ id: record.id, execution: execution.execution, error }, 'the frozen process is lost; restoring from the image')
    await discardFrozen(ports, running, record, execution)
    return undefined
  }
  await ports.reached('resume thawed')
  ports.routes.publish(routeOf(running, ports.tokens, execution.address))
  forgetImage(ports, running)
  return running
}

async function discardFrozen(ports: Ports, running: SandboxRecord, paused: SandboxRecord, execution: Execution): Promise<void> {
  const { state, generation, execution: carried } = running
  const back = { state: paused.state, execution: null, startedAt: paused.startedAt, endAt: paused.endAt, pausedAt: paused.pausedAt }
  const event = eventOf(paused, ports.clock.now(), 'paused', 'frozen process lost')
  if (!ports.store.updateSandbox({ id: running.id, state, generation, execution: carried }, back, event)) {
    throw new TorporError('conflict', `Sandbox "${running.id}" was changed meanwhile. Try again`)
  }
  ports.executions.remove(execution.execution)
  await ports.engine.destroy(execution.execution)
}

async function restoreImage(ports: Ports, record: SandboxRecord, options: ResumeOptions, signal: AbortSignal): Promise<SandboxRecord> {
  const image = usableImage(record)
  await using undo = new Undo(ports.log)
  const spec = specOf(record, newExecutionId())
  const identity = identityOf(record, ports)
  const execution = await startExecution(ports, spec, { image, holder: identity.accessToken }, identity, undo).catch((error: unknown) => {
    if (isKind(error, 'damaged', 'not_found') && !signal.aborted) throw broken(ports, record, error)
    throw error
  })
  await ports.reached('resume initialised')
  signal.throwIfAborted()
  const patch = { execution: spec.execution, ...timesFrom(ports, options) }
  const running = applyAction(ports.store, record, 'resume', patch, resumed(ports, record, options))
  undo.release()
  await ports.reached('resume committed')
  ports.executions.put(execution)
  ports.routes.publish(routeOf(running, ports.tokens, execution.address))
  forgetImage(ports, running)
  prefetch(ports, execution)
  return running
}

/** Nobody waits for it: without, the first use of each page is slow. */
function prefetch({ engine, log }: Ports, { execution }: Execution): void {
  engine.prefetch(execution).catch((error: unknown) => {
    if (!isKind(error, 'not_found', 'unavailable', 'conflict')) log.warn({ execution, error }, 'memory was not read ahead after a wake')
  })
}

/** Says so from now on, to everyone; nothing older is used in its place. */
function broken(ports: Ports, record: SandboxRecord, cause: TorporError): TorporError {
  const what = cause.kind === 'not_found' ? 'missing' : 'damaged'
  const message = `The saved state of sandbox "${record.id}" is ${what}: it cannot be resumed. Kill it, or reset it to a snapshot`
  const event = eventOf(record, ports.clock.now(), 'damaged', what)
  applyAction(ports.store, record, 'break', { damage: message }, event)
  ports.log.error({ id: record.id, image: record.image?.name, error: cause, context: cause.context }, 'a saved state cannot be used')
  return new TorporError('damaged', message, { cause, context: cause.context })
}

const resumed = ({ clock }: Ports, record: SandboxRecord, { reason }: ResumeOptions): SandboxEvent =>
  eventOf(record, clock.now(), 'resumed', reason)

function timesFrom({ clock, settings }: Ports, { timeoutSeconds, lifecycle }: ResumeOptions) {
  const now = clock.now()
  const endAt = endAfter(now, timeoutSeconds, { startedAt: now, maxRunSeconds: settings.maxRunSeconds })
  return { startedAt: now, endAt, timeoutSeconds, pausedAt: null, ...(lifecycle && { lifecycle }) }
}
