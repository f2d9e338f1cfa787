import { z } from 'zod'

import { networkConfig, timeoutSeconds } from './sandbox.ts'

/** Body of `POST /sandboxes/{id}/snapshots` (protocol.md 2.2): `<name>` or `<name>:<tag>`. */
export const snapshotRequest = z.looseObject({ name: z.string().max(256).optional() })

/** A snapshot as clients know it; `snapshotID` may be given wherever a template is asked for (protocol.md 2.3). */
export const snapshotInfo = z.object({
  /** `<id>:default`, or `local/<name>:<tag>` when it has a name (protocol.md 2.5). */
  snapshotID: z.string(),
  names: z.array(z.string()),
})
export type SnapshotInfo = z.infer<typeof snapshotInfo>

/** Body of `POST /sandboxes/{id}/reset` (protocol.md 2.2). */
export const resetRequest = z.looseObject({
  resume: z.boolean().optional(),
  timeout: timeoutSeconds.optional(),
  /** Ours: which snapshot of this sandbox to go back to. */
  snapshotID: z.string().min(1).max(256).optional(),
  /** Novita's: restricts the sandbox from now on. */
  network: networkConfig.nullish(),
})

/** The token only where public traffic is restricted. */
export const resetAnswer = z.object({ trafficAccessToken: z.string().optional() })
