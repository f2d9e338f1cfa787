import { z } from 'zod'

const name = z.string({ error: 'must be the name of a template' }).min(1).max(256)
const tags = z.array(z.string().max(128)).max(100)

/** Body of `POST /v3/templates` (protocol.md 2.2). `alias` is the older word for the name. */
export const templateRequest = z.looseObject({
  name: name.optional(),
  alias: name.optional(),
  tags: tags.nullish(),
  cpuCount: z.int().optional(),
  memoryMB: z.int().optional(),
  minFreeDiskMb: z.int().min(0).max(16_777_216).optional(),
})

export const templateAnswer = z.object({
  templateID: z.string(),
  buildID: z.string(),
  public: z.boolean(),
  names: z.array(z.string()),
  tags: z.array(z.string()),
  aliases: z.array(z.string()),
})

const templateStep = z.looseObject({
  type: z.string().max(32),
  args: z.array(z.string().max(262_144)).max(10_000).nullish(),
  filesHash: z.string().max(256).nullish(),
  force: z.boolean().nullish(),
})

const text = z.string().min(1).max(65_536)
/** How a private registry is convinced (protocol.md 2.3). */
const registryCredentials = z.discriminatedUnion('type', [
  z.object({ type: z.literal('registry'), username: text, password: text }),
  z.object({ type: z.literal('aws'), awsAccessKeyId: text, awsSecretAccessKey: text, awsRegion: text }),
  z.object({ type: z.literal('gcp'), serviceAccountJson: text }),
])

/** Body of `POST /v2/templates/{id}/builds/{buildID}` (protocol.md 2.3). Clients send more in the steps than the schema lists. */
export const buildRequest = z.looseObject({
  fromTemplate: z.string().max(512).nullish(),
  fromImage: z.string().max(512).nullish(),
  fromImageRegistry: registryCredentials.nullish(),
  startCmd: z.string().max(65_536).nullish(),
  readyCmd: z.string().max(65_536).nullish(),
  preBootScript: z.string().nullish(),
  force: z.boolean().nullish(),
  steps: z.array(templateStep).nullish(),
})
export type BuildRequest = z.infer<typeof buildRequest>

export const buildStatuses = ['waiting', 'building', 'ready', 'error'] as const

export const buildLogEntry = z.object({
  timestamp: z.iso.datetime(),
  level: z.enum(['debug', 'info', 'warn', 'error']),
  message: z.string(),
  step: z.string().optional(),
})

/** Answer of the build status (protocol.md 2.3). */
export const buildInfo = z.object({
  templateID: z.string(),
  buildID: z.string(),
  status: z.enum(buildStatuses),
  logs: z.array(z.string()),
  logEntries: z.array(buildLogEntry),
  reason: z.object({ message: z.string(), step: z.string(), logEntries: z.array(buildLogEntry).optional() }).optional(),
})

export const buildLogs = z.object({ logs: z.array(buildLogEntry) })

const listedTemplate = z.object({
  templateID: z.string(),
  public: z.boolean(),
  names: z.array(z.string()),
  aliases: z.array(z.string()),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  lastSpawnedAt: z.iso.datetime().nullable(),
  spawnCount: z.int(),
})

/** One element of a list (protocol.md 2.3). */
export const templateSummary = listedTemplate.extend({
  buildID: z.string(),
  buildStatus: z.enum(buildStatuses),
  buildCount: z.int(),
  cpuCount: z.int(),
  memoryMB: z.int(),
  diskSizeMB: z.int(),
  envdVersion: z.string(),
  createdBy: z.null(),
  /** Novita's. */
  templateType: z.enum(['template_build', 'snapshot_template']),
})
export type TemplateSummaryAnswer = z.infer<typeof templateSummary>

export const templateDetail = listedTemplate.extend({
  builds: z.array(
    z.object({
      buildID: z.string(),
      status: z.enum(buildStatuses),
      cpuCount: z.int(),
      memoryMB: z.int(),
      diskSizeMB: z.int(),
      envdVersion: z.string(),
      createdAt: z.iso.datetime(),
      updatedAt: z.iso.datetime(),
      finishedAt: z.iso.datetime().optional(),
    }),
  ),
})
export type TemplateDetailAnswer = z.infer<typeof templateDetail>

/** Novita's page of a list. */
export const templatePage = z.object({
  templates: z.array(templateSummary),
  total: z.int(),
  page: z.int(),
  limit: z.int(),
  totalPages: z.int(),
})

export const aliasAnswer = z.object({ templateID: z.string(), public: z.boolean() })

/** Where to `PUT` the archive of a COPY step, unless it is there. */
export const fileLink = z.object({ present: z.boolean(), url: z.string().optional() })

export const tagRequest = z.looseObject({ target: name, tags })
export const tagRemoval = z.looseObject({ name, tags })
export const tagAnswer = z.object({ buildID: z.string(), tags: z.array(z.string()) })
export const templateTag = z.object({ tag: z.string(), buildID: z.string(), createdAt: z.iso.datetime() })

export const templateUpdate = z.looseObject({ public: z.boolean().optional() })
export const templateNames = z.object({ names: z.array(z.string()) })
