import type { ExecutionExit } from '../ports/engine.ts'
import { killSandbox } from './kill-sandbox.ts'
import type { Ports } from './ports.ts'

/**
 * An execution ended without having been asked to: a spare is replaced, a running sandbox is gone, a paused one falls back to
 * its image.
 */
export async function loseExecution(ports: Ports, exit: ExecutionExit, reason: 'crashed' | 'out of memory'): Promise<void> {
  if (ports.pool.forget(exit.execution)) return ports.engine.destroy(exit.execution)
  const carried = ports.store.sandboxOf(exit.execution)
  // A process that dies while it is thawed or replaced: that work notices and falls back, or had no more need of it.
  if (carried && ['resume', 'reset'].includes(ports.transitions.current(carried.id) ?? '')) await ports.transitions.settled(carried.id)
  const record = ports.store.sandboxOf(exit.execution)
  ports.log.warn({ execution: exit.execution, status: exit.status, id: record?.id, state: record?.state }, 'an execution ended by itself')
  if (!record || record.state === 'creating') return
  if (record.state !== 'paused') return killSandbox(ports, record.id, reason)
  ports.executions.remove(exit.execution)
  const { id, state, generation, execution } = record
  ports.store.updateSandbox({ id, state, generation, execution }, { execution: null })
  return ports.engine.destroy(exit.execution)
}
