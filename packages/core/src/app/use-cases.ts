import type { PublicState, TorporError } from '@torpor/contract'

import type { EgressOptions } from '../domain/egress.ts'
import type { Cursor } from '../domain/listing.ts'
import type { EventQuery, SnapshotQuery } from '../domain/listing.ts'
import type { ImageKind, Lifecycle, NetworkOptions, SandboxRecord, Snapshot } from '../domain/sandbox.ts'
import type { BuildLogQuery, TemplateSummary, TemplateTag } from '../domain/template.ts'
import type { LogEntry, LogQuery } from '../ports/logs.ts'
import type { Sample, SampleRange } from '../ports/metrics.ts'
import type { RecordedEvent } from '../ports/store.ts'
import type { Inventory } from './inventory.ts'
import type { Preparation } from './preparations.ts'
import type { Quota } from './quota.ts'
import type { ResetCommand } from './reset-sandbox.ts'
import type { SandboxView } from './sandbox-view.ts'
import type { SnapshotPage } from './snapshots.ts'
import type { RegisterCommand, RegisteredBuild } from './templates/register-template.ts'
import type { StartBuildCommand } from './templates/start-build.ts'
import type { BuildView, TemplateDetail } from './templates/template-records.ts'
import type { Verdict } from './verify-images.ts'

export interface CreateCommand {
  /** Id or name, `:tag` allowed. */
  readonly template: string
  /** undefined: the configured default. */
  readonly timeoutSeconds?: number | undefined
  readonly secure: boolean
  readonly lifecycle: Lifecycle
  readonly network: NetworkOptions
  readonly metadata: Readonly<Record<string, string>>
  readonly env: Readonly<Record<string, string>>
}

export interface ListCommand {
  readonly states: readonly PublicState[]
  readonly metadata: Readonly<Record<string, string>>
  readonly template?: string | undefined
  /** Milliseconds since the epoch, inclusive. */
  readonly startedAfter?: number | undefined
  readonly order: 'asc' | 'desc'
  readonly after?: Cursor | undefined
  readonly limit: number
}

export interface CloneCommand {
  readonly count: number
  /** undefined: as promise C8 says. */
  readonly timeoutSeconds?: number | undefined
}

/** What became of one of the clones asked for. */
export type CloneOutcome = { readonly sandbox: SandboxRecord } | { readonly error: TorporError }

export interface Page {
  readonly sandboxes: readonly SandboxView[]
  /** Absent on the last page. */
  readonly next?: Cursor
}

/**
 * What the doors (API, CLI, reconcilers) may ask of the platform. Every method takes a well-formed sandbox id and throws
 * TorporError: `not_found` for an unknown sandbox, others as named.
 */
export interface UseCases {
  /** Resolves when the sandbox is usable. `not_found` (template), `exhausted` (limits), `invalid_argument` (timeout above the maximum). */
  createSandbox(command: CreateCommand): Promise<SandboxRecord>
  getSandbox(id: string): SandboxView
  listSandboxes(command: ListCommand): Page
  killSandbox(id: string): Promise<void>
  /**
   * Resolves when the image is durable, or (`frozen`) as soon as the sandbox stands still and the intent is on record (promise P8).
   * `conflict` when it is paused already, `no_space` when the disk is too full.
   */
  pauseSandbox(id: string, options?: { readonly kind?: ImageKind; readonly until?: 'frozen' | 'durable' }): Promise<void>
  /**
   * Extends a running sandbox, never shortens it; resumes a paused one, with `reboot` afresh on its files. Ten at once on a paused
   * one are one resume, as the first asked for it.
   */
  connectSandbox(
    id: string,
    timeoutSeconds?: number,
    reboot?: boolean,
  ): Promise<{ readonly sandbox: SandboxRecord; readonly resumed: boolean }>
  /** `conflict` when it runs already. */
  resumeSandbox(
    id: string,
    options: { readonly timeoutSeconds?: number | undefined; readonly autoPause?: boolean | undefined },
  ): Promise<SandboxRecord>
  /** endAt = now + timeout, longer or shorter. `not_found` when it is not running. */
  setTimeout(id: string, timeoutSeconds: number): void
  /** Replaces what it may reach outside, at once for every new connection. `invalid_argument`. */
  updateNetwork(id: string, network: EgressOptions): Promise<void>
  /** endAt = max(endAt, now + duration). */
  refresh(id: string, durationSeconds: number): void
  /** As many of `count` as could be made; all or none with `strict`. */
  cloneSandbox(id: string, command: CloneCommand & { readonly strict: boolean }): Promise<SandboxRecord[]>
  /** One outcome per fork. `conflict` from a paused one. */
  forkSandbox(id: string, command: CloneCommand): Promise<CloneOutcome[]>
  /** `conflict` when it is not running or a template bears the name, `invalid_argument` for the name. */
  createSnapshot(id: string, name?: string): Promise<Snapshot>
  listSnapshots(query: SnapshotQuery): SnapshotPage
  /** Back to an earlier state under the same id. `conflict` when there is none. */
  resetSandbox(id: string, command: ResetCommand): Promise<SandboxRecord>
  /** A build that waits for its steps. `invalid_argument`, `conflict` (name of a snapshot), `forbidden` (built-in template). */
  registerTemplate(command: RegisterCommand): RegisteredBuild
  /** Resolves when it is on record; the build goes on behind. `not_found`, `invalid_argument`, `unimplemented`. */
  startBuild(templateId: string, buildId: string, command: StartBuildCommand): Promise<void>
  /** `not_found`. */
  getBuild(templateId: string, buildId: string, query: BuildLogQuery): BuildView
  /** By id or name. `not_found`. */
  getTemplate(idOrName: string): TemplateDetail
  /** Newest first. */
  listTemplates(): readonly TemplateDetail[]
  /** Also a snapshot. `not_found`, `invalid_argument` while sandboxes use it, `forbidden` (built-in template). */
  deleteTemplate(idOrName: string): Promise<void>
  setTemplatePublic(idOrName: string, isPublic: boolean): TemplateSummary
  /** To the build of `<name>[:<tag>]`. `not_found`, `invalid_argument`. */
  assignTags(target: string, tags: readonly string[]): { readonly buildId: string; readonly tags: readonly string[] }
  /** All or none. `not_found`. */
  removeTags(name: string, tags: readonly string[]): void
  /** Newest first. `not_found`. */
  templateTags(idOrName: string): readonly TemplateTag[]
  events(query: EventQuery): { readonly events: readonly RecordedEvent[]; readonly total: number }
  quota(): Quota
  /** The templates that are not ready yet, or could not be made. */
  preparations(): Preparation[]
  /** Oldest first, a few thousand at most; also of a sandbox that is gone, for a day. `not_found` for one that never was. */
  metrics(id: string, range: SampleRange): Sample[]
  /** Its life and what its agent noted; also of a sandbox that is gone. `not_found` for one that never was. */
  logs(id: string, query: LogQuery): Promise<LogEntry[]>
  /** The last sample of each that has one. */
  lastMetrics(ids: readonly string[]): Sample[]
  /** What there is and what it costs. */
  inventory(): Promise<Inventory>
  /** Reads every saved state whole, as fast as the disk gives it, and tells of each as it is done. */
  verifyImages(signal: AbortSignal): AsyncIterable<Verdict>
}
