import type { Ports } from './ports.ts'
import { applyAction, requireSandbox } from './records.ts'

/** Gives back the memory of a paused sandbox's frozen process; its image stays. */
export async function evictSandbox(ports: Ports, id: string): Promise<void> {
  await ports.transitions.run(id, 'evict', async () => {
    const record = requireSandbox(ports.store, id)
    if (record.state !== 'paused' || record.execution === null) return
    applyAction(ports.store, record, 'evict', { execution: null })
    ports.executions.remove(record.execution)
    await ports.engine.destroy(record.execution)
  })
}
