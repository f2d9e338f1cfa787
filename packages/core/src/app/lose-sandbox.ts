import type { SandboxRecord } from '../domain/sandbox.ts'
import type { ExecutionExit } from '../ports/engine.ts'
import { killSandbox } from './kill-sandbox.ts'
import type { Ports } from './ports.ts'

/**
 * An execution ended by itself: a running sandbox is gone with it (an event says so); a paused one has only lost its fast
 * tier and stays.
 */
export async function loseExecution(ports: Ports, exit: ExecutionExit): Promise<void> {
  if (ports.pool.forget(exit.execution)) return ports.engine.destroy(exit.execution)
  const carried = carriedBy(ports, exit.execution)
  // A frozen process that dies while it is thawed: the resume notices, and falls back to the image.
  if (carried && ports.transitions.current(carried.id) === 'resume') await ports.transitions.settled(carried.id)
  const record = carriedBy(ports, exit.execution)
  ports.log.warn({ execution: exit.execution, status: exit.status, id: record?.id, state: record?.state }, 'an execution ended by itself')
  if (!record || record.state === 'creating') return
  if (record.state === 'running') return killSandbox(ports, record.id, 'crashed')
  ports.executions.remove(exit.execution)
  const { id, state, generation, execution } = record
  ports.store.updateSandbox({ id, state, generation, execution }, { execution: null })
  return ports.engine.destroy(exit.execution)
}

const carriedBy = ({ store }: Ports, execution: string): SandboxRecord | undefined =>
  store.allSandboxes().find((record) => record.execution === execution)
