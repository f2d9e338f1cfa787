import { type ListedSandbox, type PublicState, type SandboxAnswer, type SandboxDetail, clientId, envdVersion } from '@torpor/contract'
import type { SandboxRecord } from '@torpor/core'

import type { Dependencies } from './endpoint.ts'

const time = (milliseconds: number): string => new Date(milliseconds).toISOString()

/** Answer of create, connect and resume (protocol.md 2.3). Tokens appear only where they are demanded. */
export function sandboxToWire(record: SandboxRecord, { tokens, domain }: Pick<Dependencies, 'tokens' | 'domain'>): SandboxAnswer {
  return {
    ...identity(record),
    ...(record.secure && { envdAccessToken: tokens.access(record.id) }),
    trafficAccessToken: record.network.allowPublicTraffic ? null : tokens.traffic(record.id),
    domain,
  }
}

/** One element of a list (protocol.md 2.3). */
export function listedToWire(record: SandboxRecord): ListedSandbox {
  return {
    ...identity(record),
    startedAt: time(record.startedAt),
    endAt: time(record.endAt),
    cpuCount: record.resources.cpuCount,
    memoryMB: record.resources.memoryMiB,
    diskSizeMB: record.resources.diskMiB,
    state: publicState(record),
    metadata: { ...record.metadata },
  }
}

/** Answer of `GET /sandboxes/{id}` (protocol.md 2.3). */
export function detailToWire(record: SandboxRecord, { tokens, domain }: Pick<Dependencies, 'tokens' | 'domain'>): SandboxDetail {
  const { allowInternetAccess, allowPublicTraffic, maskRequestHost } = record.network
  return {
    ...listedToWire(record),
    ...(record.secure && { envdAccessToken: tokens.access(record.id) }),
    domain,
    allowInternetAccess,
    network: { allowPublicTraffic, ...(maskRequestHost !== null && { maskRequestHost }) },
    lifecycle: { ...record.lifecycle },
  }
}

const identity = (record: SandboxRecord) => ({
  templateID: record.templateId,
  sandboxID: record.id,
  clientID: clientId,
  ...(record.alias !== null && { alias: record.alias }),
  envdVersion,
})

/** Records that clients see are never `creating`: core hides those. */
const publicState = ({ state }: SandboxRecord): PublicState => (state === 'paused' ? 'paused' : 'running')
