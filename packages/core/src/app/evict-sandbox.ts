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

/** The same for every paused sandbox; one that cannot be evicted is logged and found again by the next server. */
export async function evictAll(ports: Ports): Promise<void> {
  const evictions = ports.store
    .frozenSandboxes()
    .map(({ id }) => evictSandbox(ports, id).catch((error: unknown) => ports.log.warn({ id, error }, 'a frozen process was not ended')))
  await Promise.all(evictions)
}
