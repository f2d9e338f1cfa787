import { mkdir } from 'node:fs/promises'
import path from 'node:path'

import { createAgentClient } from '@torpor/agent-client'
import { type LateTemplate, type Log, type Service, type Settings, type Step, type TemplateRecipe } from '@torpor/core'
import { GvisorEngine } from '@torpor/engine-gvisor'
import { openImageStore, openUploadStore } from '@torpor/image-store'
import { openOciImages } from '@torpor/oci-images'
import type { Artifacts } from '@torpor/setup'
import { openJournals, openMetrics, openStore } from '@torpor/store-sqlite'
import { type Volume, moveInto, openVolume } from '@torpor/volume'

import { type RunningServer, type World, compose } from './compose.ts'
import { type Config, type Secrets, processEnvironment, publicDomain, searchPath } from './config/index.ts'
import { createLog } from './log.ts'
import { noteArtifacts } from './note-artifacts.ts'
import { openIdentity } from './tls/identity.ts'
import { version } from './version.ts'

/** A step of the start, for the progress that `torpor up` shows. */
export interface StartStep {
  readonly name: string
  readonly state: 'start' | 'done'
  readonly milliseconds?: number
}

export interface StartOptions {
  readonly config: Config
  readonly secrets: Secrets
  readonly artifacts: Artifacts
  readonly onStep?: (step: StartStep) => void
  /** For tests: told of every step of core's works. */
  readonly reached?: (step: Step) => void | Promise<void>
  /** Without one, JSON lines or pretty ones on standard output, as configured. */
  readonly log?: Log
}

const mebibyte = 1024 * 1024

/**
 * Opens the data directory, the engine and the doors. Resolves when requests are answered.
 * @throws TorporError `unavailable` when the address is taken or the engine cannot be started; nothing is left open then.
 */
export async function startServer(options: StartOptions): Promise<RunningServer> {
  const { config, secrets, artifacts } = options
  const log = options.log ?? createLog({ level: config.logLevel, format: config.logFormat })
  await mkdir(config.dataDirectory, { recursive: true, mode: 0o700 })
  const volume = await openedVolume(config, log)
  const world = await openWorld(config, artifacts, volume, log).catch(async (error: unknown) => {
    await volume.close()
    throw error
  })
  try {
    await noteArtifacts(world, config, artifacts)
    const tls = await openIdentity(config, log)
    return await compose(world, {
      settings: settingsOf(config, tls?.authority),
      listen: config.listen,
      tls,
      domain: config.domain,
      serverSecret: secrets.serverSecret.reveal(),
      apiKey: secrets.apiKey.reveal(),
      version,
      templates: builtInTemplates(config, artifacts),
      lateTemplates: (signal) => lateTemplates(config, artifacts, signal),
      reached: options.reached,
      onStep: stepReporter(options.onStep),
    })
  } catch (error) {
    await world.engine.close()
    world.store.close()
    world.metrics.close()
    world.journals.close()
    await volume.close()
    throw error
  }
}

/** Where images lie, and memory that shares blocks with them. What an earlier version left elsewhere is moved there. */
async function openedVolume({ dataDirectory, volumeSize }: Config, log: Log): Promise<Volume> {
  const tell = (message: string): void => log.info({}, message)
  const volume = await openVolume({ dataDirectory, size: volumeSize, tell, searchPath: searchPath(processEnvironment()) })
  await moveInto(volume, dataDirectory)
  return volume
}

async function openWorld(config: Config, artifacts: Artifacts, volume: Volume, log: Log): Promise<World> {
  const images = openImageStore({ directory: path.join(volume.directory, 'images') })
  const uploads = openUploadStore({ directory: path.join(config.dataDirectory, 'uploads'), mostBytes: config.uploadMiB * mebibyte })
  const oci = openOciImages({
    program: path.join(artifacts.ociDir, 'torpor-oci'),
    directory: path.join(config.dataDirectory, 'oci'),
    insecure: config.insecureRegistries,
    caFile: config.registryCa,
  })
  const store = openStore(path.join(config.dataDirectory, 'torpor.db'))
  const metrics = openMetrics(path.join(config.dataDirectory, 'metrics.db'))
  const journals = openJournals(path.join(config.dataDirectory, 'journals.db'))
  try {
    const engine = await GvisorEngine.open({
      dataDirectory: config.dataDirectory,
      volume,
      diskReserveMiB: config.diskReserveMiB,
      artifactDirectory: config.artifactDirectory,
      engineVersion: artifacts.engineVersion,
      network: config.network,
      allowPrivateNetworks: config.egressPrivate === 'allow',
      connectionsPerSandbox: config.connectionsPerSandbox,
      megabitsPerSandbox: config.megabitsPerSandbox,
      resolvers: config.resolvers,
      pidsLimit: config.pidsLimit,
      totalMemoryBytes: (config.maxMemoryMiB + config.warmMemoryMiB) * mebibyte,
      spareSlots: 4,
      locateImage: (image) => images.locate(image),
      hairpin: hairpinOf(config),
      log,
    })
    const onHairpin: World['onHairpin'] = (accept) => engine.onHairpin(accept)
    return { engine, volume, images, uploads, oci, store, metrics, journals, agent: createAgentClient(), log, onHairpin }
  } catch (error) {
    store.close()
    metrics.close()
    journals.close()
    throw error
  }
}

/** Where sandboxes find the resolver and, by the platform's own names, its doors: the same on every machine, images hold it. */
const platformAddress = '169.254.53.53'

/** The names that sandboxes reach from inside; none when TLS is off or, its port being any, nobody knows yet where. */
function hairpinOf({ tls, domain }: Config): { readonly domain: string; readonly port: number } | undefined {
  if (!tls.listen || tls.listen.port === 0) return undefined
  const [host = '', port = '443'] = publicDomain({ domain }, tls.listen.port).split(':')
  return { domain: host, port: Number(port) }
}

/** Some programs take names below localhost for their own loopback. */
function localHairpin(config: Config): Pick<Settings, 'hairpin'> {
  const hairpin = hairpinOf(config)
  if (!hairpin?.domain.endsWith('localhost')) return {}
  return { hairpin: { port: hairpin.port, address: `${platformAddress}:${hairpin.port}` } }
}

const settingsOf = (config: Config, authority: string | undefined): Settings => ({
  defaultTimeoutSeconds: config.defaultTimeoutSeconds,
  maxTimeoutSeconds: config.maxTimeoutSeconds,
  maxRunSeconds: config.maxRunSeconds,
  maxSandboxes: config.maxSandboxes,
  memoryLimitMiB: Math.floor(config.maxMemoryMiB * config.memoryOvercommit),
  warmMemoryBytes: config.warmMemoryMiB * mebibyte,
  warmPoolSize: config.warmPoolSize,
  nameservers: [platformAddress],
  ...localHairpin(config),
  caCertificates: authority === undefined ? [] : [authority],
  agentTimeoutMilliseconds: 30_000,
  defaultResources: config.resources,
  diskReserveMiB: config.diskReserveMiB,
  buildsAtOnce: config.buildsAtOnce,
  buildStepSeconds: config.buildStepSeconds,
  layerCacheBytes: config.layerCacheMiB * mebibyte,
})

const builtInTemplates = ({ resources }: Config, { rootfs, agentHash }: Artifacts): TemplateRecipe[] => [
  { names: ['base'], base: { rootfs: rootfs.name, agent: agentHash }, resources },
]

/** The code interpreter is captured with its kernels warm (protocol.md 4). */
const interpreter: Service = {
  command: '/opt/torpor/interpreter/start.sh',
  user: 'root',
  port: 49_999,
  path: '/health',
  withinMilliseconds: 180_000,
}

const lateTemplates = ({ resources, templates }: Config, { late, agentHash }: Artifacts, signal: AbortSignal): LateTemplate[] =>
  templates.map((name) => ({
    recipe: { names: [name], base: { rootfs: late[name].name, agent: agentHash }, resources, service: interpreter },
    prepareBase: (tell) => late[name].build(signal, tell),
  }))

function stepReporter(onStep: StartOptions['onStep']) {
  return (name: string): (() => void) => {
    const started = performance.now()
    onStep?.({ name, state: 'start' })
    return () => onStep?.({ name, state: 'done', milliseconds: performance.now() - started })
  }
}
