import { TorporError } from '@torpor/contract'

import { cloneSandbox } from './clone-sandbox.ts'
import type { Ports } from './ports.ts'
import { requireSandbox } from './records.ts'
import type { CloneCommand, CloneOutcome } from './use-cases.ts'

/**
 * As a clone, by the rules of E2B: only from a running sandbox, with the default timeout unless one is given, and the failure of
 * one does not fail the others (protocol.md 2.5). @throws TorporError `conflict` for a paused one.
 */
export async function forkSandbox(ports: Ports, id: string, { count, timeoutSeconds }: CloneCommand): Promise<CloneOutcome[]> {
  if (requireSandbox(ports.store, id).state !== 'running') {
    throw new TorporError('conflict', `Sandbox "${id}" is paused. Connect to it first, then fork it`)
  }
  return cloneSandbox(ports, id, { count, timeoutSeconds: timeoutSeconds ?? ports.settings.defaultTimeoutSeconds })
}
