import type { SandboxRecord } from '../domain/sandbox.ts'
import type { Ports } from './ports.ts'

/** Nobody waits longer for it. */
const patienceMilliseconds = 500
const mostPages = 20

/**
 * Fetches what the agent of a running sandbox noted since the last time. Never fails and never takes long: a log is no reason to
 * put anything off.
 */
export async function pullJournal(ports: Ports, record: SandboxRecord): Promise<void> {
  const late = Promise.withResolvers<void>()
  const cancel = ports.clock.after(patienceMilliseconds, late.resolve)
  try {
    await Promise.race([pull(ports, record), late.promise])
  } catch (error) {
    ports.log.info({ id: record.id, error }, 'the journal of a sandbox was not read')
  } finally {
    cancel()
  }
}

async function pull(ports: Ports, { id, execution, secure, createdAt }: SandboxRecord): Promise<void> {
  if (execution === null) return
  const { address } = ports.executions.get(execution)
  const token = secure ? ports.tokens.access(id) : null
  for (let page = 0; page < mostPages; page += 1) {
    const entries = await ports.agent.journal(address, token, ports.journalCursors.of(execution))
    const last = entries.at(-1)
    if (!last) return
    const now = ports.clock.now()
    // What is older came along in the image that it was made from; what is newer is not believed.
    const own = entries.filter(({ at }) => at >= createdAt).map((entry) => ({ ...entry, at: Math.min(entry.at, now) }))
    ports.journals.append(id, execution, own)
    ports.journalCursors.move(execution, last.sequence)
  }
}
