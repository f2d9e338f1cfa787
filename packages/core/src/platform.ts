import { type Route, TorporError } from '@torpor/contract'

import { type Adoption, adoptExecutions } from './app/adopt-executions.ts'
import { type TemplateRecipe, ensureTemplate } from './app/build-template.ts'
import { cloneLeniently, cloneStrictly } from './app/clone-sandbox.ts'
import { connectSandbox, refreshSandbox, resumePaused, setTimeoutOf } from './app/connect-sandbox.ts'
import { createSandbox } from './app/create-sandbox.ts'
import { evictAll } from './app/evict-sandbox.ts'
import { ExecutionTable } from './app/execution-table.ts'
import { forkSandbox } from './app/fork-sandbox.ts'
import { Holdings } from './app/holdings.ts'
import { ImageLeases } from './app/image-leases.ts'
import { inventoryOf } from './app/inventory.ts'
import { JournalCursors } from './app/journal-cursors.ts'
import { killSandbox } from './app/kill-sandbox.ts'
import { listSandboxes } from './app/list-sandboxes.ts'
import { logsOf } from './app/logs.ts'
import { loseExecution } from './app/lose-sandbox.ts'
import { metricsOf } from './app/metrics.ts'
import { pauseSandbox } from './app/pause-sandbox.ts'
import type { Ports } from './app/ports.ts'
import { Preparations } from './app/preparations.ts'
import { type LateTemplate, prepareTemplate } from './app/prepare-template.ts'
import { quotaOf } from './app/quota.ts'
import { requireSandbox } from './app/records.ts'
import { MemoryRelief } from './app/relieve-memory.ts'
import { resetSandbox } from './app/reset-sandbox.ts'
import { Sampler } from './app/sampler.ts'
import { createSnapshot, listSnapshots } from './app/snapshots.ts'
import { BuildQueue } from './app/templates/build-queue.ts'
import { failInterrupted } from './app/templates/collect-builds.ts'
import { deleteTemplate } from './app/templates/delete-template.ts'
import { registerTemplate } from './app/templates/register-template.ts'
import { startBuild } from './app/templates/start-build.ts'
import {
  assignTags,
  buildView,
  removeTags,
  requireTemplate,
  setTemplatePublic,
  tagsOf,
  templateDetail,
} from './app/templates/template-records.ts'
import { Transitions } from './app/transitions.ts'
import { updateNetwork } from './app/update-network.ts'
import type { UseCases } from './app/use-cases.ts'
import { Verified } from './app/verified.ts'
import { verifyAll } from './app/verify-images.ts'
import { viewOf } from './app/view.ts'
import { wakeSandbox } from './app/wake-sandbox.ts'
import { WarmPool } from './app/warm-pool.ts'
import type { SandboxRecord } from './domain/sandbox.ts'
import { collection } from './reconcilers/collection.ts'
import { compaction } from './reconcilers/compaction.ts'
import { deadlines } from './reconcilers/deadlines.ts'
import { Loop } from './reconcilers/loop.ts'
import { sampling } from './reconcilers/sampling.ts'
import { trimming } from './reconcilers/trimming.ts'
import { verification } from './reconcilers/verification.ts'
import { volumeSpace } from './reconcilers/volume-space.ts'
import { warmMemory } from './reconcilers/warm-memory.ts'
import { warmPool } from './reconcilers/warm-pool.ts'

/** Core, given its adapters: the use cases for the doors, and the loops. */
export interface Platform {
  readonly useCases: UseCases
  /** For the edge: brings a sleeping sandbox back for a request to `port`, if it may be woken by that. */
  wake(sandboxId: string, port: number): Promise<Route | undefined>
  ensureTemplate(recipe: TemplateRecipe): Promise<boolean>
  /** As `ensureTemplate`, while the server serves; never rejects. */
  prepareTemplate(template: LateTemplate): Promise<void>
  /** Finds the sandboxes of an earlier server again, then starts the loops. To be called once, before any door opens. */
  start(): Promise<Adoption>
  /** Waits for what is in progress. Running sandboxes go on; paused ones give their memory back and stay on disk. */
  close(): Promise<void>
}

/** What the composition root supplies. */
export type Adapters = Omit<
  Ports,
  | 'transitions'
  | 'executions'
  | 'leases'
  | 'holdings'
  | 'verified'
  | 'pool'
  | 'builds'
  | 'sampler'
  | 'journalCursors'
  | 'preparations'
  | 'nudge'
  | 'reached'
> &
  Partial<Pick<Ports, 'reached'>>

export function createPlatform(adapters: Adapters): Platform {
  const transitions = new Transitions()
  const stopping = new AbortController()
  const pool = new WarmPool(adapters.clock.now())
  const nudge = (record?: SandboxRecord): void => {
    loops.forEach((loop) => loop.nudge())
    if (!record) collecting.nudge()
  }
  const builds = new BuildQueue(adapters.settings.buildsAtOnce)
  const own = {
    transitions,
    builds,
    executions: new ExecutionTable(),
    leases: new ImageLeases(),
    holdings: new Holdings(),
    verified: new Verified(),
    sampler: new Sampler(),
    journalCursors: new JournalCursors(),
    pool,
    preparations: new Preparations(),
    nudge,
  }
  const ports: Ports = { reached: () => undefined, ...adapters, ...own }
  const loops = [
    new Loop('deadlines', deadlines(ports), adapters),
    new Loop('warm memory', warmMemory(ports), adapters),
    new Loop('warm pool', warmPool(ports), adapters),
    new Loop('sampling', sampling(ports), adapters),
    new Loop('volume space', volumeSpace(ports), adapters),
    new Loop('compaction', compaction(ports, stopping.signal), adapters),
  ]
  // These look at all there is: too dear for every change of a sandbox.
  const collecting = new Loop('collection', collection(ports), adapters)
  const trims = new Loop('trimming', trimming(ports), adapters)
  const background = new Loop('verification', verification(ports, stopping.signal), adapters)
  let unsubscribe = (): void => undefined
  return {
    useCases: useCasesOf(ports),
    wake: (id, port) => wakeSandbox(ports, id, port),
    ensureTemplate: async (recipe) => {
      const built = await ensureTemplate(ports, recipe)
      nudge()
      return built
    },
    prepareTemplate: async (template) => {
      await prepareTemplate(ports, template)
      nudge()
    },
    start: async () => {
      unsubscribe = listen(ports)
      failInterrupted(ports)
      await Promise.all([ports.uploads.clearUnfinished(), ports.oci.clearUnfinished()])
      const adoption = await adoptExecutions(ports)
      nudge()
      background.nudge()
      trims.nudge()
      return adoption
    },
    close: async () => {
      unsubscribe()
      stopping.abort(new TorporError('unavailable', 'The server is stopping'))
      await builds.close(new TorporError('unavailable', 'The server was stopped in the middle of this build. Start it again'))
      await pool.close(adapters.engine)
      await Promise.all([...loops, collecting, background, trims].map((loop) => loop[Symbol.asyncDispose]()))
      await pool.close(adapters.engine)
      await transitions.idle()
      await evictAll(ports)
    },
  }
}

/** What the engine tells by itself. Gives the function that ends it. */
function listen(ports: Ports): () => void {
  const { engine, log } = ports
  const relief = new MemoryRelief()
  const ends = [
    engine.onExit((exit) => {
      const reason = relief.explains(ports, exit.execution) ? 'out of memory' : 'crashed'
      loseExecution(ports, exit, reason).catch((error: unknown) => log.error({ exit, error }, 'an ended execution was not cleared away'))
    }),
    engine.onMemoryPressure((pressure) => {
      relief.relieve(ports, pressure).catch((error: unknown) => log.warn({ pressure, error }, 'a shortage of memory was not ended'))
    }),
  ]
  return () => ends.forEach((end) => end())
}

const useCasesOf = (ports: Ports): UseCases => ({
  createSandbox: (command) => createSandbox(ports, command),
  getSandbox: (id) => viewOf(ports, requireSandbox(ports.store, id)),
  listSandboxes: (command) => listSandboxes(ports, command),
  killSandbox: (id) => killSandbox(ports, id, 'api'),
  pauseSandbox: (id, { kind = 'memory', until = 'durable' } = {}) => pauseSandbox(ports, id, { reason: 'api', kind, until }),
  connectSandbox: (id, timeoutSeconds, reboot) => connectSandbox(ports, id, timeoutSeconds, reboot),
  resumeSandbox: (id, options) => resumePaused(ports, id, options),
  setTimeout: (id, timeoutSeconds) => setTimeoutOf(ports, id, timeoutSeconds),
  updateNetwork: (id, network) => updateNetwork(ports, id, network),
  refresh: (id, durationSeconds) => refreshSandbox(ports, id, durationSeconds),
  cloneSandbox: (id, { strict, ...command }) => (strict ? cloneStrictly(ports, id, command) : cloneLeniently(ports, id, command)),
  forkSandbox: (id, command) => forkSandbox(ports, id, command),
  createSnapshot: (id, name) => createSnapshot(ports, id, name),
  listSnapshots: (query) => listSnapshots(ports, query),
  resetSandbox: (id, command) => resetSandbox(ports, id, command),
  registerTemplate: (command) => registerTemplate(ports, command),
  startBuild: (templateId, buildId, command) => startBuild(ports, templateId, buildId, command),
  getBuild: (templateId, buildId, query) => buildView(ports, templateId, buildId, query),
  getTemplate: (idOrName) => templateDetail(ports, requireTemplate(ports.store, idOrName)),
  listTemplates: () => ports.store.templates.list().map((template) => templateDetail(ports, template)),
  deleteTemplate: (idOrName) => deleteTemplate(ports, idOrName),
  setTemplatePublic: (idOrName, isPublic) => setTemplatePublic(ports, idOrName, isPublic),
  assignTags: (target, tags) => assignTags(ports, target, tags),
  removeTags: (name, tags) => removeTags(ports, name, tags),
  templateTags: (idOrName) => tagsOf(ports, idOrName),
  events: (query) => ports.store.events(query),
  quota: () => quotaOf(ports),
  preparations: () => ports.preparations.all(),
  logs: (id, query) => logsOf(ports, id, query),
  metrics: (id, range) => metricsOf(ports, id, range),
  lastMetrics: (ids) => ports.metrics.last(ids),
  inventory: () => inventoryOf(ports),
  verifyImages: (signal) => verifyAll(ports, signal),
})
