import { endAfter } from '../domain/deadlines.ts'
import type { SandboxRecord } from '../domain/sandbox.ts'
import type { Execution } from '../ports/engine.ts'
import { admitSandbox, lookBeforeAdmission } from './admit-sandbox.ts'
import type { Ports } from './ports.ts'
import { applyAction, eventOf, executionOf, identityOf, routeOf } from './records.ts'
import { specOf } from './spec.ts'
import { type Seed, startExecution } from './start-execution.ts'
import { Undo } from './undo.ts'

/**
 * Brings a new record to life: recorded, started, told who it is, committed, reachable. `ready` gives a process that is there
 * already; without it one is started from the seed. Leaves nothing behind when it fails.
 */
export async function startSandbox(
  ports: Ports,
  record: SandboxRecord,
  seed: Seed,
  ready?: () => Promise<Execution>,
  reason = 'api',
): Promise<SandboxRecord> {
  const { store, clock, log, settings } = ports
  const held = await lookBeforeAdmission(ports, record.resources, seed.image)
  admitSandbox(ports, record.resources, held)
  await using undo = new Undo(log)
  store.insertSandbox(record)
  ports.holdings.noteFiles(record.id, held)
  undo.add('record', () => void store.deleteSandbox(record.id, eventOf(record, clock.now(), 'killed', 'create failed')))
  await ports.reached('create recorded')
  const spec = specOf(record, executionOf(record))
  const execution = ready ? await ready() : await startExecution(ports, spec, seed, identityOf(record, ports), undo)
  await ports.reached('create initialised')

  const now = clock.now()
  const times = { startedAt: now, endAt: endAfter(now, record.timeoutSeconds, { startedAt: now, maxRunSeconds: settings.maxRunSeconds }) }
  const running = applyAction(store, record, 'start', times, eventOf(record, now, 'created', reason))
  undo.release()
  ports.executions.put(execution)
  ports.routes.publish(routeOf(running, ports.tokens, execution.address))
  await ports.reached('create committed')
  ports.nudge(running)
  return running
}
