import type { TemplateBuild } from '@torpor/core'
import { z } from 'zod'

const schema = z.object({
  templateId: z.string(),
  buildId: z.string(),
  names: z.array(z.string()),
  image: z.object({ name: z.string(), engineVersion: z.string() }),
  base: z.object({ rootfs: z.string(), agent: z.string() }),
  resources: z.object({ cpuCount: z.number(), memoryMiB: z.number(), diskMiB: z.number() }),
  createdAt: z.number(),
})

/** A row of the table `template` as core knows it. */
export const templateBuild = (row: unknown): TemplateBuild => schema.parse(JSON.parse(z.object({ build: z.string() }).parse(row).build))
