import { type TemplateDetailAnswer, type TemplateSummaryAnswer, envdVersion } from '@torpor/contract'
import {
  type BuildLogEntry,
  type BuildRecord,
  type BuildView,
  type Snapshot,
  type TemplateDetail,
  type TemplateSummary,
  namespace,
} from '@torpor/core'

export const time = (milliseconds: number): string => new Date(milliseconds).toISOString()

export const fullNames = (names: readonly string[]): string[] => names.map((name) => `${namespace}/${name}`)

const listed = ({ id, names, isPublic, createdAt, updatedAt, lastSpawnedAt, spawnCount }: TemplateSummary) => ({
  templateID: id,
  public: isPublic,
  names: fullNames(names),
  aliases: [...names],
  createdAt: time(createdAt),
  updatedAt: time(updatedAt),
  lastSpawnedAt: lastSpawnedAt === null ? null : time(lastSpawnedAt),
  spawnCount,
})

const sizes = ({ resources }: Pick<BuildRecord, 'resources'>) => ({
  cpuCount: resources.cpuCount,
  memoryMB: resources.memoryMiB,
  diskSizeMB: resources.diskMiB,
  envdVersion,
})

/** One element of a list: with the newest build (protocol.md 2.3). Every template has one. */
export function summaryToWire(template: TemplateDetail): TemplateSummaryAnswer {
  const [newest] = template.builds
  return {
    ...listed(template),
    buildID: newest?.id ?? '',
    buildStatus: newest?.status ?? 'waiting',
    buildCount: template.builds.length,
    ...sizes({ resources: newest?.resources ?? { cpuCount: 0, memoryMiB: 0, diskMiB: 0 } }),
    createdBy: null,
    templateType: 'template_build',
  }
}

/** A snapshot as Novita lists it beside templates. */
export function snapshotAsTemplate(snapshot: Snapshot): TemplateSummaryAnswer {
  const { id, name, createdAt } = snapshot
  const names = name === null ? [] : [name]
  return {
    templateID: id,
    public: false,
    names: fullNames(names),
    aliases: names,
    createdAt: time(createdAt),
    updatedAt: time(createdAt),
    lastSpawnedAt: null,
    spawnCount: 0,
    buildID: id,
    buildStatus: 'ready',
    buildCount: 1,
    ...sizes(snapshot),
    createdBy: null,
    templateType: 'snapshot_template',
  }
}

/** Answer of `GET /templates/{id}` (protocol.md 2.3). */
export const detailToWire = ({ builds, ...template }: TemplateDetail): TemplateDetailAnswer => ({
  ...listed(template),
  builds: builds.map((build) => ({
    buildID: build.id,
    status: build.status,
    ...sizes(build),
    createdAt: time(build.createdAt),
    updatedAt: time(build.finishedAt ?? build.startedAt ?? build.createdAt),
    ...(build.finishedAt !== null && { finishedAt: time(build.finishedAt) }),
  })),
})

export const logEntryToWire = ({ at, level, message, step }: BuildLogEntry) => ({
  timestamp: time(at),
  level,
  message,
  ...(step !== null && { step }),
})

/** Answer of the build status (protocol.md 2.3). */
export const buildToWire = ({ build, entries }: BuildView) => ({
  templateID: build.templateId,
  buildID: build.id,
  status: build.status,
  logs: entries.map(({ message }) => message),
  logEntries: entries.map(logEntryToWire),
  ...(build.reason && { reason: { ...build.reason, logEntries: [] } }),
})
