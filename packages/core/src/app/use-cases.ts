import type { PublicState } from '@torpor/contract'

import type { Cursor } from '../domain/listing.ts'
import type { Lifecycle, NetworkOptions, SandboxRecord } from '../domain/sandbox.ts'

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

export interface Page {
  readonly sandboxes: readonly SandboxRecord[]
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
  getSandbox(id: string): SandboxRecord
  listSandboxes(command: ListCommand): Page
  killSandbox(id: string): Promise<void>
  /** Resolves when the memory image is durable. `conflict` when it is paused already. */
  pauseSandbox(id: string): Promise<void>
  /** Extends a running sandbox, never shortens it; resumes a paused one. Ten at once on a paused one are one resume. */
  connectSandbox(id: string, timeoutSeconds?: number): Promise<{ readonly sandbox: SandboxRecord; readonly resumed: boolean }>
  /** `conflict` when it runs already. */
  resumeSandbox(
    id: string,
    options: { readonly timeoutSeconds?: number | undefined; readonly autoPause?: boolean | undefined },
  ): Promise<SandboxRecord>
  /** endAt = now + timeout, longer or shorter. `not_found` when it is not running. */
  setTimeout(id: string, timeoutSeconds: number): void
  /** endAt = max(endAt, now + duration). */
  refresh(id: string, durationSeconds: number): void
}
