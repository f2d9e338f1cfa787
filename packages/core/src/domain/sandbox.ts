import type { ProcessDefaults } from './process-defaults.ts'

/**
 * States of record. `pausing`: frozen, its image not yet durable; clients see it as paused. A killed sandbox has no record: it is
 * kept as an event.
 */
export type SandboxState = 'creating' | 'running' | 'pausing' | 'paused'

export interface Lifecycle {
  readonly onTimeout: 'kill' | 'pause'
  readonly autoResume: boolean
  /** What a pause at the timeout keeps: memory and files, or the files only. */
  readonly pauseKind: ImageKind
}

export interface Resources {
  readonly cpuCount: number
  readonly memoryMiB: number
  readonly diskMiB: number
}

export interface NetworkOptions {
  readonly allowInternetAccess: boolean | null
  /** What it may reach outside and what not, as its owner wrote it: addresses, ranges, names (`allowOut` only). */
  readonly allowOut: readonly string[]
  readonly denyOut: readonly string[]
  readonly allowPublicTraffic: boolean
  readonly maskRequestHost: string | null
}

/** Where a committed image stands, and what a restore needs to be the same as at its capture. */
export interface ImageRef {
  /** Opaque to all but the image store. */
  readonly name: string
  /** `memory`: all processes with their memory, and the files. `files`: only the files, to be booted afresh. */
  readonly kind: ImageKind
  /** The engine build that wrote it: only the same one can restore it. */
  readonly engineVersion: string
}

export type ImageKind = 'memory' | 'files'

/** What a sandbox's processes see of the machine and must find again, byte-identical, at every restore. */
export interface Base {
  /** Name of the immutable root file system. */
  readonly rootfs: string
  /** Content hash of the agent's binary. */
  readonly agent: string
}

/** The record of one sandbox: everything that survives a restart of the server. */
export interface SandboxRecord {
  readonly id: string
  readonly templateId: string
  readonly buildId: string
  /** The name by which the template was asked for, shown as `alias`. */
  readonly alias: string | null
  readonly state: SandboxState
  /** Number of the last committed memory image; 0 before the first pause. */
  readonly generation: number
  /** The engine process that carries it now; on a paused sandbox: the frozen one, as long as it stays in memory. */
  readonly execution: string | null
  /** The committed image; while it runs again, until it is forgotten. */
  readonly image: ImageRef | null
  /** What the pause in progress keeps, so that a restarted server can finish it; null unless pausing. */
  readonly pausing: ImageKind | null
  /** Why its saved state cannot be used; null as long as nothing is known against it. */
  readonly damage: string | null
  readonly base: Base
  readonly resources: Resources
  /** First creation; milliseconds since the epoch, like all times in records. */
  readonly createdAt: number
  /** Creation or last resume. */
  readonly startedAt: number
  readonly endAt: number
  /** The timeout of the last create or connect in seconds. */
  readonly timeoutSeconds: number
  readonly pausedAt: number | null
  readonly lifecycle: Lifecycle
  readonly metadata: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
  /** As whom and where its processes run by default; null: as the agent has it. */
  readonly defaults: ProcessDefaults | null
  readonly network: NetworkOptions
  /** Whether the agent demands the access token. */
  readonly secure: boolean
}

/** One finished life or notable happening, kept after the record is gone. */
export interface SandboxEvent {
  readonly sandboxId: string
  readonly templateId: string
  /** As the sandbox's alias. */
  readonly templateName: string | null
  readonly at: number
  readonly name: EventName
  /** Why: `api`, `timeout`, `crashed`, `out of memory`, `lost`… */
  readonly reason: string
}

export const eventNames = ['created', 'pausing', 'paused', 'resumed', 'snapshotted', 'reset', 'damaged', 'killed'] as const
export type EventName = (typeof eventNames)[number]

/** A sandbox's state at one moment, kept under a name or an id: creates start from it with all its processes. */
export interface Snapshot {
  readonly id: string
  /** Chosen by the user, unique; null when it has none. */
  readonly name: string | null
  readonly tag: string
  /** Whose state it is. */
  readonly sandboxId: string
  /** Whether the agent inside still demands that sandbox's token. */
  readonly secure: boolean
  readonly templateId: string
  readonly image: ImageRef
  readonly base: Base
  readonly resources: Resources
  readonly env: Readonly<Record<string, string>>
  readonly defaults: ProcessDefaults | null
  readonly createdAt: number
}
