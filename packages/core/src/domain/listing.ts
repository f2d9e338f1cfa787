import type { PublicState } from '@torpor/contract'

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
