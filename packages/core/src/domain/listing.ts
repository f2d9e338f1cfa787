import type { PublicState } from '@torpor/contract'

import type { EventName } from './sandbox.ts'

/** Where a page starts: after the sandbox that started then and has this id. */
export interface Cursor {
  readonly startedAt: number
  readonly id: string
}

export interface ListQuery {
  readonly states: readonly PublicState[]
  /** All pairs must match. */
  readonly metadata: Readonly<Record<string, string>>
  readonly templateId?: string
  /** Inclusive, milliseconds since the epoch. */
  readonly startedAfter?: number
  readonly order: 'asc' | 'desc'
  readonly after?: Cursor
  readonly limit: number
}

export interface SnapshotQuery {
  readonly sandboxId?: string
  /** Bare name, or name and tag. */
  readonly name?: string
  readonly after?: { readonly createdAt: number; readonly id: string }
  readonly limit: number
}

export interface EventQuery {
  readonly sandboxId?: string
  readonly templateId?: string
  readonly names?: readonly EventName[]
  /** Inclusive, milliseconds since the epoch. */
  readonly from?: number
  readonly to?: number
  readonly order: 'asc' | 'desc'
  readonly offset: number
  readonly limit: number
}
