import { TorporError, isKind } from '@torpor/contract'

import { type EgressOptions, egressOf, isCoherent } from '../domain/egress.ts'
import type { SandboxRecord } from '../domain/sandbox.ts'
import type { Ports } from './ports.ts'
import { applyAction, requireSandbox } from './records.ts'

/**
 * Replaces what a sandbox may reach outside, running or paused: in force for every new connection when this resolves.
 * @throws TorporError `not_found`, `invalid_argument`; when the rules cannot be put into force, the old ones hold.
 */
export async function updateNetwork(ports: Ports, id: string, command: EgressOptions): Promise<void> {
  requireCoherent(command)
  requireSandbox(ports.store, id)
  // Whatever is being done has read the old rules, and may be making a new process with them.
  while (ports.transitions.current(id) !== undefined) await ports.transitions.settled(id)
  const before = requireSandbox(ports.store, id)
  const after = applyAction(ports.store, before, 'rewire', { network: { ...before.network, ...command } })
  try {
    await enforceEgress(ports, after)
  } catch (error) {
    const now = ports.store.getSandbox(id)
    if (now && JSON.stringify(now.network) === JSON.stringify(after.network))
      applyAction(ports.store, now, 'rewire', { network: before.network })
    throw error
  }
}

/** Puts the rules on record into force; a sandbox without a process gets them with its next one. */
export async function enforceEgress({ engine }: Pick<Ports, 'engine'>, { execution, network }: SandboxRecord): Promise<void> {
  if (execution === null) return
  await engine.setEgress(execution, egressOf(network)).catch((error: unknown) => {
    if (!isKind(error, 'not_found')) throw error
  })
}

/** @throws TorporError `invalid_argument`. */
export function requireCoherent(network: EgressOptions): void {
  if (isCoherent(egressOf(network))) return
  throw new TorporError('invalid_argument', 'allowOut: host names need denyOut to contain 0.0.0.0/0, since all else is open already')
}
