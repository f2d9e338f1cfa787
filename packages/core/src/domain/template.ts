import type { ProcessDefaults } from './process-defaults.ts'
import type { Base, ImageRef, Resources } from './sandbox.ts'

/** What the steps of a build have set for the next ones, and for the sandboxes made from it. */
export interface BuildContext extends ProcessDefaults {
  readonly env: Readonly<Record<string, string>>
}

/** A service of a template: its start command, and how to tell that it is ready. */
export interface Service {
  /** Path of a program without arguments, run as `user`. */
  readonly command: string
  readonly user: string
  /** Ready is 200 for `GET http://<sandbox>:<port><path>`. */
  readonly port: number
  readonly path: string
  readonly withinMilliseconds: number
}

/** What runs in every sandbox of a template from its first moment on; null: nothing. */
export interface StartCommand {
  readonly startCmd: string | null
  readonly readyCmd: string | null
  /** Of the built-in template that it comes from: runs beside the start command, whatever that is. */
  readonly service?: Service | undefined
}

/** A template: the names, and who may see it. What sandboxes start from are its builds. */
export interface Template {
  readonly id: string
  /** All names under which it is reachable, the canonical one first. */
  readonly names: readonly string[]
  readonly isPublic: boolean
  /** Made by Torpor itself: it can be neither built nor deleted by users. */
  readonly isBuiltIn: boolean
  readonly createdAt: number
  readonly updatedAt: number
}

/** A template with what became of it so far. */
export interface TemplateSummary extends Template {
  readonly spawnCount: number
  readonly lastSpawnedAt: number | null
}

/** `waiting`: registered, its steps are not known yet. `building` includes the wait for its turn. */
export type BuildStatus = 'waiting' | 'building' | 'ready' | 'error'

/** Where a build failed: `base`, `finalize` or the number of the step, from 1 (protocol.md 2.5). */
export interface BuildFailure {
  readonly message: string
  readonly step: string
}

/** One build of a template, in any state. Times in milliseconds since the epoch. */
export interface BuildRecord {
  readonly id: string
  readonly templateId: string
  readonly status: BuildStatus
  /** The tags that will point to it when it is ready. */
  readonly tags: readonly string[]
  readonly resources: Resources
  readonly reason: BuildFailure | null
  readonly createdAt: number
  readonly startedAt: number | null
  readonly finishedAt: number | null
}

/** A template's ready build: the captured sandbox that every create restores. */
export interface TemplateBuild {
  readonly templateId: string
  readonly buildId: string
  /** All names under which the template is reachable, the canonical one first. */
  readonly names: readonly string[]
  readonly image: ImageRef
  readonly base: Base
  readonly resources: Resources
  readonly createdAt: number
  readonly context: BuildContext
  readonly start: StartCommand
  /** Id of the layer with its files, from which builds on top of it begin; null: the bare base. */
  readonly layer: string | null
}

export interface TemplateTag {
  readonly tag: string
  readonly buildId: string
  readonly createdAt: number
}

/** The files of a root after a step. */
export interface Layer {
  readonly id: string
  /** What led to them; null when a build was told not to use it any more. */
  readonly key: string | null
  readonly image: ImageRef
  readonly bytes: number
  readonly createdAt: number
  readonly usedAt: number
}

export const logLevels = ['debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof logLevels)[number]

/** One line of a build's log. */
export interface BuildLogEntry {
  readonly at: number
  readonly level: LogLevel
  readonly message: string
  /** As in `BuildFailure`; null before the first. */
  readonly step: string | null
}

export interface BuildLogQuery {
  /** The least serious level. */
  readonly level: LogLevel
  /** How many of the entries that match are passed over. */
  readonly offset: number
  readonly limit: number
}

/** The context of a bare base: the user that every root has. */
export const baseContext: BuildContext = { env: {}, user: 'user', workdir: '/home/user' }

export const noStart: StartCommand = { startCmd: null, readyCmd: null }
