import type { TimeLimits } from '../domain/deadlines.ts'
import type { Resources, SandboxRecord } from '../domain/sandbox.ts'
import type { Activity } from '../ports/activity.ts'
import type { Agent } from '../ports/agent.ts'
import type { Engine } from '../ports/engine.ts'
import type { ImageStore } from '../ports/images.ts'
import type { Journals } from '../ports/logs.ts'
import type { Metrics } from '../ports/metrics.ts'
import type { OciImages } from '../ports/oci-images.ts'
import type { Clock, Log, Tokens } from '../ports/platform.ts'
import type { Routes } from '../ports/routes.ts'
import type { Store } from '../ports/store.ts'
import type { Uploads } from '../ports/uploads.ts'
import type { Volume } from '../ports/volume.ts'
import type { ExecutionTable } from './execution-table.ts'
import type { Holdings } from './holdings.ts'
import type { ImageLeases } from './image-leases.ts'
import type { JournalCursors } from './journal-cursors.ts'
import type { Preparations } from './preparations.ts'
import type { Sampler } from './sampler.ts'
import type { Step } from './steps.ts'
import type { BuildQueue } from './templates/build-queue.ts'
import type { Transitions } from './transitions.ts'
import type { Verified } from './verified.ts'
import type { WarmPool } from './warm-pool.ts'

/** What the use cases are told of the machine. */
export interface Settings extends TimeLimits {
  /** MiB that all creating and running sandboxes may hold together. */
  readonly memoryLimitMiB: number
  /** Sandboxes that may be creating and running at once. */
  readonly maxSandboxes: number
  /** Bytes of memory that paused sandboxes may keep for a fast wake-up. */
  readonly warmMemoryBytes: number
  /** Ready sandboxes kept frozen per template; 0 keeps none. */
  readonly warmPoolSize: number
  /** Addresses of resolvers as seen from inside a sandbox. */
  readonly nameservers: readonly string[]
  /** MiB that every running sandbox can write to its disk for sure, on a volume that others fill. */
  readonly diskReserveMiB: number
  /** What a template gets that asks for nothing else. */
  readonly defaultResources: Resources
  /** Template builds that run at once; others wait for their turn. */
  readonly buildsAtOnce: number
  /** Seconds after which a step of a build is ended. */
  readonly buildStepSeconds: number
  /** Bytes of layers kept for builds to come; those that templates rest on do not count. */
  readonly layerCacheBytes: number
  /** PEM: authorities that programs in every sandbox trust beside those of its system. */
  readonly caCertificates?: readonly string[]
  /** As in AgentIdentity: for a domain below localhost. */
  readonly hairpin?: { readonly port: number; readonly address: string }
  /** Milliseconds within which a sandbox's agent must answer after a boot or restore. */
  readonly agentTimeoutMilliseconds: number
}

/** Everything the use cases work with; each names the part it needs. */
export interface Ports {
  readonly store: Store
  readonly engine: Engine
  readonly images: ImageStore
  readonly volume: Volume
  readonly uploads: Uploads
  readonly metrics: Metrics
  readonly journals: Journals
  readonly agent: Agent
  readonly routes: Routes
  readonly activity: Activity
  readonly clock: Clock
  readonly tokens: Tokens
  readonly log: Log
  readonly settings: Settings
  readonly transitions: Transitions
  readonly executions: ExecutionTable
  readonly leases: ImageLeases
  readonly holdings: Holdings
  readonly verified: Verified
  readonly pool: WarmPool
  readonly oci: OciImages
  readonly preparations: Preparations
  readonly builds: BuildQueue
  readonly sampler: Sampler
  readonly journalCursors: JournalCursors
  /** Told of every step that is behind; a test may fail or end the server there. */
  readonly reached: (step: Step) => void | Promise<void>
  /** Tells the reconcilers that something may be due, of a sandbox or of anything; losing a nudge costs time only. */
  readonly nudge: (record?: SandboxRecord) => void
}
