import type { EventQuery, ListQuery, SnapshotQuery } from '../domain/listing.ts'
import type { ImageRef, SandboxEvent, SandboxRecord, SandboxState, Snapshot } from '../domain/sandbox.ts'
import type { TemplateBuild } from '../domain/template.ts'
import type { KeyStore } from './key-store.ts'
import type { TemplateStore } from './template-store.ts'

/** A change is made only if the record still is as the decision saw it. */
export interface Expected {
  readonly id: string
  readonly state: SandboxState
  readonly generation: number
  readonly execution: string | null
}

/** What a change may set; id, template and tokens never change. */
export type SandboxPatch = Partial<
  Pick<
    SandboxRecord,
    | 'state'
    | 'generation'
    | 'execution'
    | 'image'
    | 'pausing'
    | 'damage'
    | 'startedAt'
    | 'endAt'
    | 'timeoutSeconds'
    | 'pausedAt'
    | 'network'
    | 'lifecycle'
  >
>

/** An event as kept: with its number, which grows. */
export interface RecordedEvent extends SandboxEvent {
  readonly number: number
}

/**
 * Records of sandboxes, templates, keys and events. A call that returns has made its change durable.
 * Synchronous: the embedded database is in this process, and a change is microseconds.
 */
export interface Store {
  insertSandbox(record: SandboxRecord): void
  getSandbox(id: string): SandboxRecord | undefined
  /** All records in one state or, without one, in any; unordered. */
  allSandboxes(state?: SandboxState): SandboxRecord[]
  /** Paused records whose frozen process still is in memory, the one paused longest ago first. */
  frozenSandboxes(): SandboxRecord[]
  /** The record that a process carries. */
  sandboxOf(execution: string): SandboxRecord | undefined
  /** Public records (not `creating`) by filter, newest start first (oldest with `asc`), then id. */
  listSandboxes(query: ListQuery): SandboxRecord[]
  /** Compare-and-set, with `event` in the same transaction: gives the new record, or undefined when it is not as expected any more. */
  updateSandbox(expected: Expected, patch: SandboxPatch, event?: SandboxEvent): SandboxRecord | undefined
  /** Removes the record and keeps `event`, in one transaction; false when there was none. */
  deleteSandbox(id: string, event: SandboxEvent): boolean
  recordEvent(event: SandboxEvent): void
  /** The events that match, in the order asked for, and how many there are in all. */
  events(query: EventQuery): { readonly events: RecordedEvent[]; readonly total: number }
  /** Adds a snapshot; one that bore its name and tag before keeps its id only. `event` is kept in the same transaction. */
  insertSnapshot(snapshot: Snapshot, event: SandboxEvent): void
  /** By id or by name and tag (`<name>`, `<name>:<tag>`, `<id>`, `<id>:default`). */
  getSnapshot(idOrName: string): Snapshot | undefined
  /** Newest first, then by id. */
  listSnapshots(query: SnapshotQuery): Snapshot[]
  deleteSnapshot(id: string): boolean
  /** Every image that a sandbox, a snapshot, a template build or a layer names. */
  allImages(): ImageRef[]
  /** Whether one of these names this image. */
  isImageNamed(name: string): boolean
  /** Every root file system that a sandbox, a snapshot or a ready build needs. */
  namedRoots(): string[]
  /** What on this machine all records were made with and are woken with: root file systems, agents, engine builds. */
  namedArtifacts(): { readonly rootfs: string[]; readonly agents: string[]; readonly engines: string[] }

  readonly templates: TemplateStore
  /** Makes this the only build of its template under `default`, and makes its names point to it; for built-in templates. */
  putTemplate(build: TemplateBuild): void
  /** The ready build by id or any name of its template, with or without namespace and tag (`default` without). */
  getTemplate(idOrName: string): TemplateBuild | undefined
  /** Every ready build to which a tag points. */
  allTemplates(): TemplateBuild[]

  readonly keys: KeyStore

  close(): void
}
