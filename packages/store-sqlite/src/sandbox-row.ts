import type { SQLInputValue } from 'node:sqlite'

import type { SandboxPatch, SandboxRecord } from '@torpor/core'
import { z } from 'zod'

import { base, defaults, flag, image, imageKind, json, resources, texts } from './columns.ts'

const row = z.object({
  id: z.string(),
  template_id: z.string(),
  build_id: z.string(),
  alias: z.string().nullable(),
  state: z.enum(['creating', 'running', 'pausing', 'paused']),
  generation: z.number(),
  execution: z.string().nullable(),
  image: json(image).nullable(),
  pausing: imageKind.nullable(),
  damage: z.string().nullable(),
  base: json(base),
  resources: json(resources),
  created_at: z.number(),
  started_at: z.number(),
  end_at: z.number(),
  timeout_seconds: z.number(),
  paused_at: z.number().nullable(),
  lifecycle: json(z.object({ onTimeout: z.enum(['kill', 'pause']), autoResume: z.boolean(), pauseKind: imageKind.default('memory') })),
  metadata: json(texts),
  env: json(texts),
  defaults: json(defaults).nullable(),
  network: json(
    z.object({
      allowInternetAccess: z.boolean().nullable(),
      allowOut: z.array(z.string()).default([]),
      denyOut: z.array(z.string()).default([]),
      allowPublicTraffic: z.boolean(),
      maskRequestHost: z.string().nullable(),
    }),
  ),
  secure: flag,
})

/** A row as core knows it. */
export function fromRow(columns: unknown): SandboxRecord {
  const { template_id, build_id, created_at, started_at, end_at, timeout_seconds, paused_at, ...same } = row.parse(columns)
  return {
    ...same,
    templateId: template_id,
    buildId: build_id,
    createdAt: created_at,
    startedAt: started_at,
    endAt: end_at,
    timeoutSeconds: timeout_seconds,
    pausedAt: paused_at,
  }
}

/** A record as columns. */
export const toRow = (record: SandboxRecord): Record<string, SQLInputValue> => ({
  id: record.id,
  template_id: record.templateId,
  build_id: record.buildId,
  alias: record.alias,
  base: JSON.stringify(record.base),
  resources: JSON.stringify(record.resources),
  created_at: record.createdAt,
  metadata: JSON.stringify(record.metadata),
  env: JSON.stringify(record.env),
  defaults: record.defaults && JSON.stringify(record.defaults),
  secure: record.secure ? 1 : 0,
  ...patchColumns(record),
})

/** What of a patch is set, as columns. */
export function patchColumns(patch: SandboxPatch): Record<string, SQLInputValue> {
  const columns = {
    state: patch.state,
    generation: patch.generation,
    execution: patch.execution,
    image: patch.image && JSON.stringify(patch.image),
    pausing: patch.pausing,
    damage: patch.damage,
    started_at: patch.startedAt,
    end_at: patch.endAt,
    timeout_seconds: patch.timeoutSeconds,
    paused_at: patch.pausedAt,
    network: patch.network && JSON.stringify(patch.network),
    lifecycle: patch.lifecycle && JSON.stringify(patch.lifecycle),
  }
  const set = Object.entries(columns).filter((entry): entry is [string, string | number | null] => entry[1] !== undefined)
  return Object.fromEntries(set)
}
