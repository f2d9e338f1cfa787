import { z } from 'zod'

import { errorBody, sandboxAnswer, timeoutSeconds } from './sandbox.ts'

const count = z.int('must be a whole number').min(1, 'must be 1 or more').max(100, 'must be at most 100')

/** Body of `POST /sandboxes/{id}/clone` (protocol.md 2.2); `nodeID` means nothing on one machine. */
export const cloneRequest = z.looseObject({ count: count.optional(), strict: z.boolean().optional(), timeout: timeoutSeconds.optional() })

/** No `clientID` here: Novita's clients would glue it to the id (protocol.md 2.3). */
export const clonedSandbox = z.object({
  sandboxID: z.string(),
  envdVersion: z.string(),
  envdAccessToken: z.string().optional(),
  trafficAccessToken: z.string().optional(),
})
export type ClonedSandbox = z.infer<typeof clonedSandbox>

export const cloneAnswer = z.object({ sandboxes: z.array(clonedSandbox) })

/** Body of `POST /sandboxes/{id}/fork` (protocol.md 2.2). */
export const forkRequest = z.looseObject({ count: count.optional(), timeout: timeoutSeconds.optional() })

/** What became of one fork: exactly one of both. */
export const forkResult = z.union([z.object({ sandbox: sandboxAnswer }), z.object({ error: errorBody })])
export type ForkResult = z.infer<typeof forkResult>
