import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'

import { type FakeMemory, FakeMachine } from '@torpor/engine-fake'

import type { Adoption } from '../app/adopt-executions.ts'
import type { TemplateRecipe } from '../app/build-template.ts'
import type { Settings } from '../app/ports.ts'
import { requireSandbox } from '../app/records.ts'
import type { CreateCommand, UseCases } from '../app/use-cases.ts'
import type { ImageRef, SandboxRecord } from '../domain/sandbox.ts'
import type { RecordedEvent, Store } from '../ports/store.ts'
import { FakeVolume } from './fake-volume.ts'
import { type ServerLife, beginLife } from './server-life.ts'

const settings: Settings = {
  defaultTimeoutSeconds: 300,
  maxTimeoutSeconds: 86_400,
  maxRunSeconds: 86_400,
  maxSandboxes: 100,
  memoryLimitMiB: 1024,
  warmMemoryBytes: Number.MAX_SAFE_INTEGER,
  warmPoolSize: 0,
  nameservers: ['169.254.53.53'],
  agentTimeoutMilliseconds: 5000,
  defaultResources: { cpuCount: 1, memoryMiB: 128, diskMiB: 512 },
  diskReserveMiB: 64,
  buildsAtOnce: 2,
  buildStepSeconds: 60,
  layerCacheBytes: 1024 ** 3,
}

export const recipe: TemplateRecipe = {
  names: ['base', 'default-base'],
  base: { rootfs: 'rootfs', agent: 'agent' },
  resources: { cpuCount: 1, memoryMiB: 128, diskMiB: 512 },
}

const command: CreateCommand = {
  template: 'base',
  secure: true,
  lifecycle: { onTimeout: 'kill', autoResume: false, pauseKind: 'memory' },
  network: { allowInternetAccess: null, allowOut: [], denyOut: [], allowPublicTraffic: true, maskRequestHost: null },
  metadata: {},
  env: {},
}

/** Core with a real store and real image files, on a fake engine: servers come and go, the machine and its disk stay. */
export class World implements AsyncDisposable {
  readonly #directory: string
  readonly #settings: Settings
  readonly #processes = new FakeMachine()
  /** What the machine's disk is like; the test may change it. */
  readonly volume = new FakeVolume()
  #life: ServerLife

  private constructor(directory: string, settings: Settings, engineVersion: string) {
    this.#directory = directory
    this.#settings = settings
    this.#life = this.#begin(engineVersion, Date.UTC(2026, 0, 1))
  }

  get imageDirectory(): string {
    return path.join(this.#directory, 'images')
  }

  /** A started server with the template `base`. */
  static async open(changes: Partial<Settings> = {}): Promise<World> {
    const directory = await mkdtemp(path.join(tmpdir(), 'torpor-core-'))
    const world = new World(directory, { ...settings, ...changes }, 'fake-1')
    await world.platform.start()
    await world.platform.ensureTemplate(recipe)
    return world
  }

  /** The server of now; another one after `restart`. */
  get life(): ServerLife {
    return this.#life
  }

  get platform(): ServerLife['platform'] {
    return this.#life.platform
  }

  get useCases(): UseCases {
    return this.#life.platform.useCases
  }

  get engine(): ServerLife['engine'] {
    return this.#life.engine
  }

  get store(): Store {
    return this.#life.watched.store
  }

  /** The server dies where it stands, and the next one starts on what is left. */
  restart(engineVersion = this.engine.version): Promise<Adoption> {
    this.#life.die()
    this.#life = this.#begin(engineVersion, this.#life.clock.now())
    return this.platform.start()
  }

  create(changes: Partial<CreateCommand> = {}): Promise<SandboxRecord> {
    return this.useCases.createSandbox({ ...command, ...changes })
  }

  /** A paused sandbox: its process is still there, frozen. */
  async createPaused(changes: Partial<CreateCommand> = {}): Promise<SandboxRecord> {
    const { id } = await this.create(changes)
    await this.useCases.pauseSandbox(id)
    return this.record(id)
  }

  /** A paused sandbox of which only the image is left. */
  async createAsleep(changes: Partial<CreateCommand> = {}): Promise<SandboxRecord> {
    const record = await this.createPaused(changes)
    await this.engine.crash(executionOf(record), 137)
    return this.#life.watched.recordThat(record.id, ({ execution }) => execution === null)
  }

  /** @throws TorporError `not_found`. */
  record(id: string): SandboxRecord {
    return requireSandbox(this.store, id)
  }

  /** What is on record of a sandbox's life. */
  events(id: string): RecordedEvent[] {
    return this.store.events({ sandboxId: id, order: 'asc', offset: 0, limit: 1000 }).events
  }

  /** What a sandbox that is carried by a process remembers. */
  memoryOf(id: string): FakeMemory {
    return this.engine.memory(executionOf(this.record(id)))
  }

  /** Resolves as soon as it holds; for what nobody tells of. */
  async until(holds: () => Promise<boolean>): Promise<void> {
    while (!(await holds())) await setImmediate()
  }

  /** The image files of sandboxes, without those of templates: `<id>/g<generation>`. */
  async imageFiles(): Promise<string[]> {
    const builds = this.store.allTemplates().map(({ image }) => image.name.split('/')[0])
    const names: string[] = []
    for (const owner of await readdir(path.join(this.#directory, 'images'))) {
      const generations = builds.includes(owner) ? [] : await readdir(path.join(this.#directory, 'images', owner)).catch(() => [])
      names.push(...generations.map((generation) => `${owner}/${generation}`))
    }
    return names.sort()
  }

  /** Takes an image away behind the server's back. */
  async removeImageFile({ name }: ImageRef): Promise<void> {
    await rm(path.join(this.imageDirectory, name), { recursive: true })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#life.die()
    await this.#processes[Symbol.asyncDispose]()
    // A loop that was cut off may be writing its last file.
    await rm(this.#directory, { recursive: true, maxRetries: 10, retryDelay: 20 })
  }

  #begin(engineVersion: string, now: number): ServerLife {
    const databaseFile = path.join(this.#directory, 'torpor.db')
    const imageDirectory = path.join(this.#directory, 'images')
    const uploadDirectory = path.join(this.#directory, 'uploads')
    const { volume } = this
    return beginLife(
      { processes: this.#processes, volume, databaseFile, imageDirectory, uploadDirectory, engineVersion, now },
      this.#settings,
    )
  }
}

/** The process of a record that has one. */
export function executionOf({ id, execution }: SandboxRecord): string {
  if (execution === null) throw new Error(`sandbox ${id} has no process`)
  return execution
}
