import {
  type ClonedSandbox,
  type ListedSandbox,
  type SandboxAnswer,
  type SandboxDetail,
  type ShownState,
  type SnapshotInfo,
  clientId,
  envdVersion,
} from '@torpor/contract'
import { type SandboxRecord, type SandboxView, type Snapshot, namespace } from '@torpor/core'

import type { Dependencies } from './endpoint.ts'

const time = (milliseconds: number): string => new Date(milliseconds).toISOString()

/** Answer of create, connect and resume (protocol.md 2.3). Tokens appear only where they are demanded. */
export function sandboxToWire(record: SandboxRecord, { tokens, domain }: Pick<Dependencies, 'tokens' | 'domain'>): SandboxAnswer {
  return {
    ...identity(record),
    ...(record.secure && { envdAccessToken: tokens.access(record.id) }),
    trafficAccessToken: trafficToken(record, tokens) ?? null,
    domain,
  }
}

/** One of the clones in an answer. */
export function clonedToWire(record: SandboxRecord, { tokens }: Pick<Dependencies, 'tokens'>): ClonedSandbox {
  const trafficAccessToken = trafficToken(record, tokens)
  return {
    sandboxID: record.id,
    envdVersion,
    ...(record.secure && { envdAccessToken: tokens.access(record.id) }),
    ...(trafficAccessToken !== undefined && { trafficAccessToken }),
  }
}

/** Undefined unless public traffic is restricted. */
export const trafficToken = ({ id, network }: SandboxRecord, tokens: Dependencies['tokens']): string | undefined =>
  network.allowPublicTraffic ? undefined : tokens.traffic(id)

/** How the caller is shown a state; see `stateFor`. */
type ShowState = (state: ShownState) => ShownState

/** One element of a list (protocol.md 2.3). */
export function listedToWire(record: SandboxView, showState: ShowState): ListedSandbox {
  return {
    ...identity(record),
    startedAt: time(record.startedAt),
    endAt: time(record.shown.endAt),
    cpuCount: record.resources.cpuCount,
    memoryMB: record.resources.memoryMiB,
    diskSizeMB: record.resources.diskMiB,
    state: showState(record.shown.state),
    metadata: { ...record.metadata },
  }
}

/** Answer of `GET /sandboxes/{id}` (protocol.md 2.3). */
export function detailToWire(
  record: SandboxView,
  showState: ShowState,
  { tokens, domain }: Pick<Dependencies, 'tokens' | 'domain'>,
): SandboxDetail {
  const { allowInternetAccess, allowOut, denyOut, allowPublicTraffic, maskRequestHost } = record.network
  const { autoResume, onTimeout } = record.lifecycle
  return {
    ...listedToWire(record, showState),
    ...(record.secure && { envdAccessToken: tokens.access(record.id) }),
    domain,
    allowInternetAccess,
    network: {
      allowPublicTraffic,
      ...(maskRequestHost !== null && { maskRequestHost }),
      ...(allowOut.length > 0 && { allowOut: [...allowOut] }),
      ...(denyOut.length > 0 && { denyOut: [...denyOut] }),
    },
    lifecycle: { autoResume, onTimeout },
  }
}

/** A snapshot's id is its full name when it has one (protocol.md 2.5). */
export function snapshotToWire({ id, name, tag }: Snapshot): SnapshotInfo {
  if (name === null) return { snapshotID: `${id}:default`, names: [] }
  const full = `${namespace}/${name}`
  return { snapshotID: `${full}:${tag}`, names: [full] }
}

const identity = (record: SandboxRecord) => ({
  templateID: record.templateId,
  sandboxID: record.id,
  clientID: clientId,
  ...(record.alias !== null && { alias: record.alias }),
  envdVersion,
})
