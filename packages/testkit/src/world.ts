import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import type { Log, SandboxEvent, Step, UseCases } from '@torpor/core'
import {
  type Config,
  clientEnvironment,
  clientTrust,
  createLog,
  derivedTokens,
  loadConfig,
  loadSecrets,
  publicDomain,
  startServer,
} from '@torpor/server'
import { type Artifacts, forgetNeeds, plainReporter, prepareMachine } from '@torpor/setup'
import { openStore } from '@torpor/store-sqlite'

import { removeData } from './data-directory.ts'
import { ownSettings } from './own-settings.ts'

/** The root of the clone. */
export const sourceDirectory = path.join(import.meta.dirname, '..', '..', '..')

/** A whole Torpor on the real engine, in this process, on a free port, with a data directory of its own. */
export interface TestWorld {
  readonly url: string
  readonly apiKey: string
  readonly dataDirectory: string
  readonly artifactDirectory: string
  /** What `torpor env` prints. */
  readonly env: Readonly<Record<string, string>>
  readonly artifacts: Artifacts
  /** What the doors ask of core. */
  readonly useCases: UseCases
  /** What happened to a sandbox, the killed ones too. */
  events(sandboxId: string): SandboxEvent[]
  /** The address of a running sandbox on this machine. */
  addressOf(sandboxId: string): string | undefined
  /** The access token of a sandbox. */
  tokenOf(sandboxId: string): string
  /** Resolves when a template that is made late is ready. @throws Error when it could not be made, or not in time. */
  templateReady(name: string, withinMilliseconds: number): Promise<void>
  /** Ends every sandbox, then the server, and removes all that was its. */
  close(): Promise<void>
}

/** Settings for tests: any TORPOR_* variable but the directories. */
export type TestSettings = Readonly<Record<string, string>>

export interface WorldOptions {
  /** Holds the data directory; any temporary place otherwise. */
  readonly parent?: string
  /** One that exists, as it is; removed at the end all the same. */
  readonly dataDirectory?: string
  /** Told of every step of core's works, which waits for it. */
  readonly reached?: ((step: Step) => void | Promise<void>) | undefined
}

export async function bootWorld(overrides: TestSettings = {}, options: WorldOptions = {}): Promise<TestWorld> {
  const dataDirectory = options.dataDirectory ?? (await mkdtemp(path.join(options.parent ?? tmpdir(), 'torpor-world-')))
  try {
    return await openWorld(dataDirectory, overrides, options)
  } catch (error) {
    await removeData(dataDirectory)
    throw error
  }
}

async function openWorld(dataDirectory: string, overrides: TestSettings, { reached }: WorldOptions): Promise<TestWorld> {
  const inherited = process.env['TORPOR_ARTIFACT_DIR']
  const settings = { ...(await ownSettings(dataDirectory)), TORPOR_LOG_LEVEL: 'warn', ...overrides }
  const config = loadConfig(inherited === undefined ? settings : { ...settings, TORPOR_ARTIFACT_DIR: inherited })
  const artifacts = await readyArtifacts(config)
  const secrets = loadSecrets(dataDirectory, config)
  const log: Log = createLog({ level: config.logLevel, format: 'json' })
  const server = await startServer({ config, secrets, artifacts, log, ...(reached && { reached }) })
  const reader = openStore(path.join(dataDirectory, 'torpor.db'))
  const url = `http://${server.address}`
  const domain = publicDomain(config, server.tlsAddress === undefined ? undefined : Number(server.tlsAddress.split(':').at(-1)))
  const apiKey = secrets.apiKey.reveal()
  return {
    url,
    apiKey,
    artifacts,
    dataDirectory,
    artifactDirectory: config.artifactDirectory,
    env: clientEnvironment({ url, apiKey, domain, trust: clientTrust(config) }),
    useCases: server.platform.useCases,
    events: (id) => reader.events({ sandboxId: id, order: 'asc', offset: 0, limit: 1000 }).events,
    addressOf: (id) => server.addressOf(id),
    tokenOf: (id) => derivedTokens(secrets.serverSecret.reveal()).access(id),
    templateReady: (name, within) => templateReady(server.platform.useCases, name, within),
    close: async () => {
      const all = [...reader.allSandboxes()]
      await Promise.all(all.map((record) => server.platform.useCases.killSandbox(record.id).catch(() => undefined)))
      reader.close()
      await server.close()
      await removeData(dataDirectory)
      await forgetNeeds(config.artifactDirectory, dataDirectory)
    },
  }
}

async function templateReady(useCases: UseCases, name: string, withinMilliseconds: number): Promise<void> {
  const deadline = performance.now() + withinMilliseconds
  for (;;) {
    const preparation = useCases.preparations().find((one) => one.name === name)
    if (!preparation) return
    if (preparation.state === 'failed') throw new Error(`template ${name} failed while ${preparation.step}`)
    if (performance.now() > deadline) throw new Error(`template ${name} is still ${preparation.step}`)
    await delay(200)
  }
}

/** What this clone builds: there already after the first set-up. */
export const readyArtifacts = (config: Pick<Config, 'artifactDirectory' | 'dataDirectory'>): Promise<Artifacts> =>
  prepareMachine(
    { ...config, sourceDirectory, searchPath: (process.env['PATH'] ?? '').split(':'), localNames: true },
    plainReporter(process.stderr),
    new AbortController().signal,
  )
