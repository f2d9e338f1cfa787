import type { ExecutionExit } from '../ports/engine.ts'
import { killSandbox } from './kill-sandbox.ts'
import type { Ports } from './ports.ts'

/**
 * An execution ended by itself: a running sandbox is gone with it (an event says so); a paused one has only lost its fast
 * tier and stays.
 */
export async function loseExecution(ports: Ports, exit: ExecutionExit): Promise<void> {
  if (ports.pool.forget(exit.execution)) return ports.engine.destroy(exit.execution)
  const record = ports.store.allSandboxes().find((candidate) => candidate.execution === exit.execution)
  ports.log.warn({ execution: exit.execution, status: exit.status, id: record?.id, state: record?.state }, 'an execution ended by itself')
  if (!record || record.state === 'creating') return
  if (record.state === 'running') return killSandbox(ports, record.id, 'crashed')
  ports.executions.remove(exit.execution)
  const { id, state, generation, execution } = record
  ports.store.updateSandbox({ id, state, generation, execution }, { execution: null })
  return ports.engine.destroy(exit.execution)
}
