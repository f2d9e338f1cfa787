import type { SQLInputValue } from 'node:sqlite'

import type { Snapshot } from '@torpor/core'
import { z } from 'zod'

import { base, defaults, flag, image, json, resources, texts } from './columns.ts'

const row = z.object({
  id: z.string(),
  name: z.string().nullable(),
  tag: z.string(),
  sandbox_id: z.string(),
  secure: flag,
  template_id: z.string(),
  image: json(image),
  base: json(base),
  resources: json(resources),
  env: json(texts),
  defaults: json(defaults).nullable(),
  created_at: z.number(),
})

/** A row of the table `snapshot` as core knows it. */
export function snapshotFromRow(columns: unknown): Snapshot {
  const { sandbox_id, template_id, created_at, ...same } = row.parse(columns)
  return { ...same, sandboxId: sandbox_id, templateId: template_id, createdAt: created_at }
}

/** A snapshot as columns. */
export const snapshotToRow = (snapshot: Snapshot): Record<string, SQLInputValue> => ({
  id: snapshot.id,
  name: snapshot.name,
  tag: snapshot.tag,
  sandbox_id: snapshot.sandboxId,
  secure: snapshot.secure ? 1 : 0,
  template_id: snapshot.templateId,
  image: JSON.stringify(snapshot.image),
  base: JSON.stringify(snapshot.base),
  resources: JSON.stringify(snapshot.resources),
  env: JSON.stringify(snapshot.env),
  defaults: snapshot.defaults && JSON.stringify(snapshot.defaults),
  created_at: snapshot.createdAt,
})
