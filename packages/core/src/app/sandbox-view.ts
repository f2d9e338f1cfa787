import type { PublicState } from '@torpor/contract'

import type { SandboxRecord } from '../domain/sandbox.ts'

/** A record as clients see it at this moment. */
export interface SandboxView extends SandboxRecord {
  readonly shown: {
    readonly state: PublicState | 'snapshotting'
    /** When it ends if nothing happens until then; milliseconds since the epoch. */
    readonly endAt: number
  }
}
