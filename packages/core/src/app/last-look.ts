import type { SandboxRecord } from '../domain/sandbox.ts'
import { pullJournal } from './journal.ts'
import type { Ports } from './ports.ts'

/** Before a sandbox ends or falls asleep: its last sample (promise M2) and what its agent noted. Takes a moment at most, never fails. */
export async function lastLook(ports: Ports, record: SandboxRecord): Promise<void> {
  await Promise.all([ports.sampler.sampleLast(ports, record), pullJournal(ports, record)])
}
