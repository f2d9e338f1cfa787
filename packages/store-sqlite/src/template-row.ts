import type { SQLInputValue } from 'node:sqlite'

import { type BuildLogEntry, type BuildRecord, type Layer, type TemplateBuild, type TemplateSummary, logLevels } from '@torpor/core'
import { z } from 'zod'

import { base, defaults, flag, image, json, resources, texts } from './columns.ts'

const buildRow = z.object({
  id: z.string(),
  template_id: z.string(),
  status: z.enum(['waiting', 'building', 'ready', 'error']),
  tags: json(z.array(z.string())),
  resources: json(resources),
  reason: json(z.object({ message: z.string(), step: z.string() })).nullable(),
  created_at: z.number(),
  started_at: z.number().nullable(),
  finished_at: z.number().nullable(),
})

/** A row of the table `build` as core knows it. */
export function buildFromRow(columns: unknown): BuildRecord {
  const { template_id, created_at, started_at, finished_at, ...same } = buildRow.parse(columns)
  return { ...same, templateId: template_id, createdAt: created_at, startedAt: started_at, finishedAt: finished_at }
}

/** A build as columns; those of its result are added when it is ready. */
export const buildToRow = (build: BuildRecord): Record<string, SQLInputValue> => ({
  id: build.id,
  template_id: build.templateId,
  status: build.status,
  tags: JSON.stringify(build.tags),
  resources: JSON.stringify(build.resources),
  reason: build.reason && JSON.stringify(build.reason),
  created_at: build.createdAt,
  started_at: build.startedAt,
  finished_at: build.finishedAt,
})

const context = defaults.extend({ env: texts })
const service = z.object({ command: z.string(), user: z.string(), port: z.number(), path: z.string(), withinMilliseconds: z.number() })
const start = z.object({ startCmd: z.string().nullable(), readyCmd: z.string().nullable(), service: service.optional() })
const readyRow = z.object({
  id: z.string(),
  template_id: z.string(),
  names: json(z.array(z.string())),
  image: json(image),
  base: json(base),
  resources: json(resources),
  context: json(context),
  start: json(start),
  layer: z.string().nullable(),
  created_at: z.number(),
})

/** A row of the table `build` that is ready, with the names of its template beside it. */
export function readyFromRow(columns: unknown): TemplateBuild {
  const { id, template_id, created_at, ...same } = readyRow.parse(columns)
  return { ...same, buildId: id, templateId: template_id, createdAt: created_at }
}

/** The columns of a build's result. */
export const readyToRow = (build: TemplateBuild): Record<string, SQLInputValue> => ({
  image: JSON.stringify(build.image),
  base: JSON.stringify(build.base),
  resources: JSON.stringify(build.resources),
  context: JSON.stringify(build.context),
  start: JSON.stringify(build.start),
  layer: build.layer,
})

const templateRow = z.object({
  id: z.string(),
  names: json(z.array(z.string())),
  public: flag,
  built_in: flag,
  created_at: z.number(),
  updated_at: z.number(),
  spawn_count: z.number(),
  last_spawned_at: z.number().nullable(),
})

/** A row of the table `template` with its names and what the events say of its use. */
export function templateFromRow(columns: unknown): TemplateSummary {
  const row = templateRow.parse(columns)
  const times = { createdAt: row.created_at, updatedAt: row.updated_at, lastSpawnedAt: row.last_spawned_at }
  return { id: row.id, names: row.names, isPublic: row.public, isBuiltIn: row.built_in, spawnCount: row.spawn_count, ...times }
}

const layerRow = z.object({
  id: z.string(),
  key: z.string().nullable(),
  image: json(image),
  bytes: z.number(),
  created_at: z.number(),
  used_at: z.number(),
})

export function layerFromRow(columns: unknown): Layer {
  const { created_at, used_at, ...same } = layerRow.parse(columns)
  return { ...same, createdAt: created_at, usedAt: used_at }
}

const level = z.number().transform((index) => z.enum(logLevels).parse(logLevels[index]))
const logRow = z.object({ at: z.number(), level, message: z.string(), step: z.string().nullable() })

export const logEntryFromRow = (columns: unknown): BuildLogEntry => logRow.parse(columns)
