import { type Route, TorporError, sandboxNotFound } from '@torpor/contract'

import type { ImageRef, SandboxEvent, SandboxRecord } from '../domain/sandbox.ts'
import { type Action, outcomeOf } from '../domain/transitions.ts'
import type { AgentIdentity, AgentSurroundings } from '../ports/agent.ts'
import type { Expected, SandboxPatch } from '../ports/store.ts'
import type { Ports } from './ports.ts'

/** The record of a sandbox that clients may see. @throws TorporError `not_found`. */
export function requireSandbox(store: Ports['store'], id: string): SandboxRecord {
  const record = store.getSandbox(id)
  if (!record || record.state === 'creating') throw sandboxNotFound(id)
  return record
}

const expected = ({ id, state, generation, execution }: SandboxRecord): Expected => ({ id, state, generation, execution })

/**
 * The one function that changes a state: asks the table, then compare-and-sets.
 * @throws TorporError `conflict` when the table forbids it or the record changed meanwhile.
 */
export function applyAction(
  store: Ports['store'],
  record: SandboxRecord,
  action: Exclude<Action, 'kill'>,
  patch: Omit<SandboxPatch, 'state'>,
  event?: SandboxEvent,
): SandboxRecord {
  const outcome = outcomeOf(record.state, action, record.id)
  if (outcome === 'gone') throw new TorporError('internal', 'Only a kill ends a record', { context: { id: record.id, action } })
  const changed = store.updateSandbox(expected(record), { ...patch, state: outcome }, event)
  if (!changed) throw new TorporError('conflict', `Sandbox "${record.id}" was changed meanwhile. Try again`, { context: { action } })
  return changed
}

export const eventOf = (record: SandboxRecord, at: number, name: SandboxEvent['name'], reason: string): SandboxEvent => ({
  sandboxId: record.id,
  templateId: record.templateId,
  templateName: record.alias,
  at,
  name,
  reason,
})

/** The route of a sandbox; without an address while it cannot be reached. */
export const routeOf = (record: SandboxRecord, tokens: Ports['tokens'], address: string | null): Route => ({
  sandboxId: record.id,
  address,
  accessToken: record.secure ? tokens.access(record.id) : null,
  trafficToken: record.network.allowPublicTraffic ? null : tokens.traffic(record.id),
  maskRequestHost: record.network.maskRequestHost,
})

/** What the agent of a sandbox must be told after every boot or restore. */
export const identityOf = (record: SandboxRecord, { tokens, settings }: Pick<Ports, 'tokens' | 'settings'>): AgentIdentity => ({
  sandboxId: record.id,
  templateId: record.templateId,
  hostname: record.id,
  accessToken: record.secure ? tokens.access(record.id) : null,
  env: record.env,
  defaults: record.defaults,
  ...surroundingsOf(settings),
})

/** What the agent of every sandbox is told of the machine around it. */
export const surroundingsOf = (settings: Ports['settings']): Omit<AgentSurroundings, 'templateId' | 'hostname'> => ({
  nameservers: settings.nameservers,
  ...(settings.hairpin && { hairpin: settings.hairpin }),
  ...(settings.caCertificates && { caCertificates: settings.caCertificates }),
})

/** The process of a record that must have one. */
export function executionOf(record: SandboxRecord): string {
  if (record.execution === null) throw new TorporError('internal', 'A running sandbox has no process', { context: { id: record.id } })
  return record.execution
}

/** What a sleeping sandbox comes back from. @throws TorporError `damaged`. */
export function usableImage({ id, image, damage, generation }: SandboxRecord): ImageRef {
  if (damage !== null) throw new TorporError('damaged', damage)
  if (image !== null) return image
  throw new TorporError('internal', `The saved state of sandbox "${id}" is missing`, { context: { generation } })
}
