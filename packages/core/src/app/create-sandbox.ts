import { newExecutionId, newSandboxId } from '@torpor/contract'

import { effectiveTimeout, endAfter } from '../domain/deadlines.ts'
import { egressOf, isOpen } from '../domain/egress.ts'
import { idleTimeoutOf } from '../domain/idle.ts'
import type { SandboxRecord } from '../domain/sandbox.ts'
import { wakePolicyOf } from '../domain/wake.ts'
import type { Execution } from '../ports/engine.ts'
import { admitSandbox, lookBeforeAdmission } from './admit-sandbox.ts'
import type { Ports } from './ports.ts'
import { identityOf } from './records.ts'
import { type Source, findSource } from './source.ts'
import { startSandbox } from './start-sandbox.ts'
import { Undo } from './undo.ts'
import { requireCoherent } from './update-network.ts'
import type { CreateCommand } from './use-cases.ts'

/** Starts what a template's build or a snapshot holds under a new identity. Resolves when its agent has taken it. */
export async function createSandbox(ports: Ports, command: CreateCommand): Promise<SandboxRecord> {
  const source = findSource(ports, command.template)
  const timeoutSeconds = effectiveTimeout(command.timeoutSeconds, ports.settings)
  idleTimeoutOf(command.metadata)
  wakePolicyOf(command.metadata)
  requireCoherent(command.network)
  admitSandbox(ports, source.resources, await lookBeforeAdmission(ports, source.resources, source.image))

  await using undo = new Undo(ports.log)
  const spare = await takeSpare(ports, command, source)
  if (!spare) return await startSandbox(ports, newRecord(ports, command, source, timeoutSeconds, newExecutionId()), source)
  undo.add('spare', () => ports.engine.destroy(spare.execution))
  const record = newRecord(ports, command, source, timeoutSeconds, spare.execution)
  const running = await startSandbox(ports, record, source, () => ready(ports, record, spare))
  undo.release()
  return running
}

async function ready(ports: Ports, record: SandboxRecord, spare: Execution): Promise<Execution> {
  await ports.agent.init(spare.address, identityOf(record, ports), null)
  return spare
}

/** Spares reach everything, and what they have reached stays connected: a sandbox with rules is restored into a slot of its own kind. */
async function takeSpare(ports: Ports, command: CreateCommand, { buildId }: Source): Promise<Execution | undefined> {
  return isOpen(egressOf(command.network)) ? ports.pool.take(ports, buildId) : undefined
}

function newRecord(ports: Ports, command: CreateCommand, source: Source, timeoutSeconds: number, execution: string): SandboxRecord {
  const now = ports.clock.now()
  const { templateId, buildId, alias, base, resources, defaults } = source
  const { lifecycle, metadata, network, secure } = command
  return {
    id: newSandboxId(),
    templateId,
    buildId,
    alias,
    state: 'creating',
    generation: 0,
    execution,
    image: null,
    pausing: null,
    damage: null,
    base,
    resources,
    createdAt: now,
    startedAt: now,
    endAt: endAfter(now, timeoutSeconds, { startedAt: now, maxRunSeconds: ports.settings.maxRunSeconds }),
    timeoutSeconds,
    pausedAt: null,
    lifecycle,
    metadata,
    env: { ...source.env, ...command.env },
    defaults,
    network,
    secure,
  }
}

/** A sandbox like its parent, under an identity and with a time of its own (promises C2, C7). */
export function cloneRecord({ clock, settings }: Ports, parent: SandboxRecord, timeoutSeconds: number): SandboxRecord {
  const now = clock.now()
  const endAt = endAfter(now, timeoutSeconds, { startedAt: now, maxRunSeconds: settings.maxRunSeconds })
  const fresh = { generation: 0, image: null, pausing: null, damage: null, pausedAt: null } as const
  const times = { createdAt: now, startedAt: now, endAt, timeoutSeconds }
  return { ...parent, ...fresh, ...times, id: newSandboxId(), state: 'creating', execution: newExecutionId() }
}
