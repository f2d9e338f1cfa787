import type { SandboxRecord } from '../domain/sandbox.ts'
import { outcomeOf } from '../domain/transitions.ts'
import { dropImage } from './hold-image.ts'
import { lastLook } from './last-look.ts'
import type { Ports } from './ports.ts'
import { eventOf, requireSandbox } from './records.ts'

/** Ends a sandbox in any state and forgets it; overtakes whatever is being done to it. */
export async function killSandbox(ports: Ports, id: string, reason: string): Promise<void> {
  const seen = requireSandbox(ports.store, id)
  const doing = ports.transitions.current(id)
  const work = ports.transitions.run(id, 'kill', () => kill(ports, id, reason))
  const overtaken = doing === undefined || doing === 'kill' ? undefined : overtake(ports, seen)
  await Promise.all([work, overtaken])
}

/** Takes the process away from the transition in progress, so that it fails at once instead of being waited for. */
async function overtake({ engine, routes }: Ports, { id, execution }: SandboxRecord): Promise<void> {
  routes.withdraw(id)
  if (execution !== null) await engine.destroy(execution)
}

async function kill(ports: Ports, id: string, reason: string): Promise<void> {
  const { store, engine, routes } = ports
  const record = requireSandbox(store, id)
  outcomeOf(record.state, 'kill', id)
  routes.withdraw(id)
  if (record.state === 'running') await lastLook(ports, record)
  await ports.reached('kill withdrawn')
  if (record.execution !== null) {
    await engine.destroy(record.execution)
    ports.executions.remove(record.execution)
  }
  await ports.reached('kill destroyed')
  store.deleteSandbox(id, eventOf(record, ports.clock.now(), 'killed', reason))
  await ports.reached('kill recorded')
  if (record.image) await dropImage(ports, record.image)
  await ports.reached('kill ended')
  ports.nudge(record)
}
