import type { TemplateBuild } from '@torpor/core'
import { z } from 'zod'

import { base, image, resources } from './columns.ts'

const schema = z.object({
  templateId: z.string(),
  buildId: z.string(),
  names: z.array(z.string()),
  image,
  base,
  resources,
  createdAt: z.number(),
})

/** A row of the table `template` as core knows it. */
export const templateBuild = (row: unknown): TemplateBuild => schema.parse(JSON.parse(z.object({ build: z.string() }).parse(row).build))
