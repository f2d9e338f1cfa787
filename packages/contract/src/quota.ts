import { z } from 'zod'

/**
 * Answer of `GET /sandboxes/quota` (protocol.md 2.3). What has no limit of its own is left out: processors and disks. Novita's
 * clients show that as 0.
 */
export const quotaAnswer = z.object({
  limit: z.object({
    concurrentInstances: z.int(),
    concurrentRamMb: z.int(),
    maxLengthHours: z.number(),
    maxRamMb: z.int(),
  }),
  usage: z.object({ concurrentInstances: z.int(), concurrentVcpu: z.number(), concurrentRamMb: z.int() }),
})
export type QuotaAnswer = z.infer<typeof quotaAnswer>
