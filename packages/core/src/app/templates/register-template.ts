import { TorporError, newBuildId, newTemplateId } from '@torpor/contract'

import type { Resources } from '../../domain/sandbox.ts'
import { parseSnapshotName } from '../../domain/snapshot-name.ts'
import type { BuildRecord, Template } from '../../domain/template.ts'
import type { Ports } from '../ports.ts'

export interface RegisterCommand {
  /** `[local/]<name>[:<tag>]`. */
  readonly name: string
  /** Besides the one in the name. */
  readonly tags: readonly string[]
  readonly cpuCount?: number | undefined
  readonly memoryMiB?: number | undefined
  /** What must be free on its disk at least. */
  readonly minFreeDiskMiB?: number | undefined
}

export interface RegisteredBuild {
  readonly template: Template
  readonly build: BuildRecord
}

const leastMemoryMiB = 128
const mostCpus = 256
const mostTags = 50

/**
 * Begins a build of the template of that name, which is made if there is none. The build waits for its steps.
 * @throws TorporError `invalid_argument`, `conflict` for a name that is a snapshot's, `forbidden` for a built-in template's.
 */
export function registerTemplate({ store, clock, settings }: Ports, command: RegisterCommand): RegisteredBuild {
  const { name, tag } = parseSnapshotName(command.name)
  const tags = [...new Set([tag, ...command.tags.map(requireTag)])]
  if (tags.length > mostTags) throw new TorporError('invalid_argument', `tags: at most ${mostTags} are possible`)
  // A build under other tags only leaves what the name alone means as it is.
  const known = store.templates.get(name)
  if (known?.isBuiltIn) throw new TorporError('forbidden', `name: '${name}' is a template of Torpor itself. Choose another one`)
  if (!known && store.getSnapshot(name)) throw new TorporError('conflict', `name: '${name}' is the name of a snapshot. Choose another one`)
  const now = clock.now()
  const made = { id: newTemplateId(), names: [name], isPublic: false, isBuiltIn: false, createdAt: now }
  const template: Template = { ...(known ?? made), updatedAt: now }
  const resources = resourcesOf(command, settings)
  const times = { createdAt: now, startedAt: null, finishedAt: null }
  const build: BuildRecord = { id: newBuildId(), templateId: template.id, status: 'waiting', tags, resources, reason: null, ...times }
  store.templates.register(template, build)
  return { template, build }
}

/** @throws TorporError `invalid_argument`. */
export function requireTag(tag: string): string {
  return parseSnapshotName(`any:${tag}`).tag
}

function resourcesOf(
  { cpuCount, memoryMiB, minFreeDiskMiB = 0 }: RegisterCommand,
  { defaultResources, memoryLimitMiB }: Ports['settings'],
): Resources {
  const cpus = cpuCount ?? defaultResources.cpuCount
  const memory = memoryMiB ?? defaultResources.memoryMiB
  if (cpus < 1 || cpus > mostCpus) throw new TorporError('invalid_argument', `cpuCount: must be from 1 to ${mostCpus}`)
  if (memory < leastMemoryMiB || memory > memoryLimitMiB) {
    throw new TorporError(
      'invalid_argument',
      `memoryMB: must be from ${leastMemoryMiB} to ${memoryLimitMiB}, what all sandboxes may have together`,
    )
  }
  return { cpuCount: cpus, memoryMiB: memory, diskMiB: Math.max(defaultResources.diskMiB, minFreeDiskMiB) }
}
