import type { Log, Tokens, Uploads, UseCases } from '@torpor/core'

import type { KeyCheck } from './key-check.ts'

/** What the REST door is given. */
export interface ControlApiOptions {
  readonly useCases: UseCases
  readonly uploads: Uploads
  readonly keys: KeyCheck
  readonly tokens: Tokens
  /** Told to clients as the place of their sandboxes; null leaves them with their own configuration (protocol.md 1.3). */
  readonly domain: string | null
  readonly log: Log
  /** Bytes; a longer body is answered with 413. Default: 1 MiB. */
  readonly maxBodyBytes?: number
  /** The version of this Torpor, for the OpenAPI document. */
  readonly version: string
}

export const defaultMaxBodyBytes = 1024 * 1024
