import { mkdir, realpath } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { totalmem } from 'node:os'
import path from 'node:path'

import { TorporError, isKind } from '@torpor/contract'
import type {
  EgressRules,
  Engine,
  Execution,
  ExecutionExit,
  ExecutionSpec,
  ExecutionStats,
  ImageKind,
  ImageRef,
  Log,
  MemoryPressure,
  ObservedExecution,
  SpaceUse,
} from '@torpor/core'

import { childrenOf, clearCgroup, raiseCgroup } from './cgroups.ts'
import { ExecutionDirectories, type ExecutionNote } from './execution-directory.ts'
import { Floor } from './floor.ts'
import { bytesIn } from './host/deadline.ts'
import type { HostProcess } from './host/host-process.ts'
import type { HostEvent, StartBody } from './host/protocol.ts'
import { Hosts } from './hosts.ts'
import { KnownExecutions } from './known-executions.ts'
import { Listeners } from './listeners.ts'
import { Network, type NetworkSettings } from './network/network.ts'
import type { Slot } from './network/plan.ts'
import { ociSpec } from './oci-spec.ts'

export interface GvisorOptions extends NetworkSettings {
  readonly dataDirectory: string
  /** Where sandboxes write: best the file system of the images. */
  readonly volume: {
    readonly directory: string
    /** Whether its files share blocks: then memory lies on it as well. */
    readonly shares: boolean
  }
  /** MiB that a sandbox can write to its disk however full the volume is. */
  readonly diskReserveMiB: number
  /** Holds `engines/`, `agents/` and `rootfs/`: immutable, addressed by content. */
  readonly artifactDirectory: string
  /** The engine build for new executions: a directory name below `engines/`. */
  readonly engineVersion: string
  readonly pidsLimit: number
  /** Memory of this machine that all sandboxes together may have, frozen ones too. */
  readonly totalMemoryBytes: number
  readonly locateImage: (image: ImageRef) => Promise<string>
  readonly log: Log
}

const overheadMiB = 96
const mebibyte = 1024 * 1024
const largeImageBytes = 256 * mebibyte
const nothingKnown: SpaceUse = { bytes: 0, allocatedBytes: 0, sharedBytes: 0, extents: 0 }
/** Of the machine's memory, that reading ahead leaves to others. */
const unreadShare = 0.1

/** The engine port on gVisor: bundles, network slots and cgroups here, the runtime behind torpor-engine. */
export class GvisorEngine implements Engine {
  readonly version: string
  readonly #options: GvisorOptions
  readonly #network: Network
  readonly #directories: ExecutionDirectories
  readonly #floor: Floor
  readonly #hosts: Hosts
  readonly #exits = new Listeners<ExecutionExit>()
  readonly #known = new KnownExecutions((exit) => this.#exits.tell(exit))
  readonly #pressures = new Listeners<MemoryPressure>()
  /** What is being cleared away: two at once would give one slot back twice. */
  readonly #clearing = new Map<string, Promise<void>>()

  private constructor(options: GvisorOptions, network: Network) {
    this.#options = options
    this.#network = network
    this.version = options.engineVersion
    this.#directories = new ExecutionDirectories(
      path.join(options.dataDirectory, 'executions'),
      path.join(options.volume.directory, 'overlays'),
    )
    this.#floor = new Floor(path.join(options.volume.directory, 'floor'))
    const places = {
      enginesDirectory: path.join(options.artifactDirectory, 'engines'),
      runDirectory: path.join('/run/torpor', String(network.server)),
      logDirectory: path.join(options.dataDirectory, 'logs'),
      log: options.log,
    }
    this.#hosts = new Hosts(places, (version, event) => this.#happened(version, event))
  }

  /** Prepares network, cgroup and host, finds what an earlier server left running, removes what belongs to nobody. */
  static async open(options: GvisorOptions): Promise<GvisorEngine> {
    for (const place of [path.join(options.dataDirectory, 'logs'), path.join(options.volume.directory, 'memory')]) {
      await mkdir(place, { recursive: true, mode: 0o700 })
    }
    const network = await Network.claim(options, options.dataDirectory)
    // The runtime refuses mounts below a symbolic link.
    const artifactDirectory = await realpath(options.artifactDirectory)
    const engine = new GvisorEngine({ ...options, artifactDirectory }, network)
    try {
      await engine.#open()
    } catch (error) {
      engine.#floor.close()
      throw error
    }
    return engine
  }

  async #open(): Promise<void> {
    const notes = await this.#directories.all()
    for (const note of notes) this.#known.adopt(note)
    await Promise.all([
      this.#network.open(notes),
      raiseCgroup(this.#group, this.#options.totalMemoryBytes),
      this.#hosts.of(this.version).then((host) => host.ensure()),
    ])
    const strays = (await childrenOf(this.#group)).filter((name) => !this.#known.find(name))
    await Promise.all(strays.map((name) => clearCgroup(path.join(this.#group, name))))
  }

  get #group(): string {
    return `/torpor${this.#network.server}`
  }

  /** Hands over every connection that a sandbox makes to the platform's own names. */
  onHairpin(accept: (connection: Socket) => void): void {
    this.#network.onHairpin(accept)
  }

  async boot(spec: ExecutionSpec, image?: ImageRef): Promise<Execution> {
    if (!image) return this.#start(spec, this.version, (host, body) => host.call('boot', body))
    const files = await this.#locate(image, 'files')
    const bytes = await bytesIn(files)
    return this.#start(spec, image.engineVersion, (host, body) => host.call('boot', { ...body, files }, bytes))
  }

  async restore(spec: ExecutionSpec, image: ImageRef): Promise<Execution> {
    const directory = await this.#locate(image, 'memory')
    const bytes = await bytesIn(directory)
    return this.#start(spec, image.engineVersion, (host, body) => host.call('restore', { ...body, image: directory }, bytes))
  }

  #locate(image: ImageRef, kind: ImageKind): Promise<string> {
    if (image.kind !== kind) throw new TorporError('internal', `An image of kind ${image.kind} is none of kind ${kind}`)
    return this.#options.locateImage(image)
  }

  async #start(
    spec: ExecutionSpec,
    engineVersion: string,
    begin: (host: HostProcess, body: StartBody) => Promise<unknown>,
  ): Promise<Execution> {
    const { execution } = spec
    if (this.#known.find(execution)) throw new TorporError('conflict', 'There is such an execution already', { context: { execution } })
    const slot = await this.#network.take()
    const onVolume = await this.#putsOnVolume(engineVersion)
    const note: ExecutionNote = { execution, slot: slot.index, engineVersion, egress: spec.egress, onVolume }
    this.#known.begin(note)
    try {
      await this.#directories.create(note, ociSpec(spec, this.#places(spec, slot)))
      await this.#network.setEgress(slot, note.egress)
      const host = await this.#hosts.of(engineVersion)
      await begin(host, {
        execution,
        bundle: this.#directories.pathOf(execution),
        overlayDirectory: this.#directories.overlayOf(execution),
        diskBytes: spec.resources.diskMiB * mebibyte,
        ...(onVolume && this.#onVolume),
      })
    } catch (error) {
      await this.#undoStart(note, error)
      throw error
    }
    this.#known.stand(execution)
    return { execution, address: slot.address, engineVersion }
  }

  /** Hosts of earlier builds keep memory to themselves. */
  async #putsOnVolume(engineVersion: string): Promise<boolean> {
    return this.#options.volume.shares && (await (await this.#hosts.of(engineVersion)).knows('flush'))
  }

  get #onVolume() {
    return {
      memoryDirectory: path.join(this.#options.volume.directory, 'memory'),
      floorFile: this.#floor.file,
      diskReserveBytes: this.#options.diskReserveMiB * mebibyte,
    }
  }

  /** A start that failed left nothing, unless its host did not live to say so. */
  async #undoStart({ execution, engineVersion }: ExecutionNote, error: unknown): Promise<void> {
    if (isKind(error, 'unavailable')) {
      await this.#hosts
        .of(engineVersion)
        .then((host) => host.call('destroy', { execution }))
        .catch(() => undefined)
    }
    await this.#clear(execution)
  }

  #places(spec: ExecutionSpec, slot: Slot) {
    const { artifactDirectory, pidsLimit } = this.#options
    return {
      rootfs: this.#rootfs(spec.base.rootfs),
      agentDirectory: path.join(artifactDirectory, 'agents', spec.base.agent),
      namespacePath: slot.namespacePath,
      cgroup: path.join(this.#group, spec.execution),
      pidsLimit,
      overheadMiB,
    }
  }

  /** Those made of registries' images belong to the data directory, the built ones to the machine. */
  #rootfs(name: string): string {
    const { artifactDirectory, dataDirectory } = this.#options
    return name.startsWith('oci-') ? path.join(dataDirectory, 'oci', 'rootfs', name) : path.join(artifactDirectory, 'rootfs', name)
  }

  async released(execution: string): Promise<void> {
    await (await this.#hostOf(execution)).call('waitRestored', { execution })
  }

  async flush(execution: string): Promise<void> {
    if (this.#noteOf(execution).onVolume) await (await this.#hostOf(execution)).call('flush', { execution })
  }

  async prefetch(execution: string): Promise<void> {
    if (!this.#noteOf(execution).onVolume) return
    const keepFreeBytes = Math.floor(totalmem() * unreadShare)
    await (await this.#hostOf(execution)).call('prefetch', { execution, keepFreeBytes })
  }

  async freeze(execution: string): Promise<void> {
    await (await this.#hostOf(execution)).call('freeze', { execution })
  }

  async thaw(execution: string): Promise<void> {
    await (await this.#hostOf(execution)).call('thaw', { execution })
  }

  /** Large images go past the page cache: steadier, and the sync afterwards finds nothing left to write. */
  async capture(execution: string, directory: string): Promise<void> {
    const { memoryBytes } = await this.stats(execution)
    const direct = memoryBytes > largeImageBytes
    await (await this.#hostOf(execution)).call('capture', { execution, directory, direct }, memoryBytes)
  }

  /** Past the page cache always: how much the files take is not known before. */
  async captureFiles(execution: string, directory: string): Promise<void> {
    await (await this.#hostOf(execution)).call('captureFiles', { execution, directory, direct: true })
  }

  async space(subject: { readonly execution: string } | { readonly image: ImageRef }): Promise<SpaceUse> {
    if ('image' in subject) {
      const directory = await this.#options.locateImage(subject.image)
      return (await this.#hosts.of(this.version)).call('space', { directory })
    }
    const { execution } = subject
    const host = await this.#hostOf(execution)
    return (await host.knows('space')) ? host.call('space', { execution }) : nothingKnown
  }

  async compact(image: ImageRef, signal: AbortSignal): Promise<void> {
    const directory = await this.#options.locateImage(image)
    const host = await this.#hosts.of(this.version)
    await host.call('compact', { directory }, await bytesIn(directory), signal)
  }

  keepFree(bytes: number): void {
    this.#floor.set(bytes)
  }

  async setEgress(execution: string, rules: EgressRules): Promise<void> {
    const note = this.#noteOf(execution)
    const changed = { ...note, egress: rules }
    await this.#network.setEgress(this.#network.slot(note.slot), rules, () => this.#directories.write(changed))
  }

  async destroy(execution: string): Promise<void> {
    const undo = this.#known.end(execution)
    try {
      const host = await this.#hosts.of(this.#known.find(execution)?.engineVersion ?? this.version)
      await host.call('destroy', { execution })
      await this.#clear(execution)
    } catch (error) {
      undo()
      throw error
    }
  }

  /** Releases everything of an execution but its process. */
  #clear(execution: string): Promise<void> {
    const clearing = this.#clearing.get(execution) ?? this.#clearOnce(execution).finally(() => this.#clearing.delete(execution))
    this.#clearing.set(execution, clearing)
    return clearing
  }

  async #clearOnce(execution: string): Promise<void> {
    const note = this.#known.find(execution)
    await clearCgroup(path.join(this.#group, execution))
    if (note) await this.#network.release(note.slot)
    await this.#directories.remove(execution)
    this.#known.forget(execution)
  }

  async list(): Promise<ObservedExecution[]> {
    // Before the hosts are asked: what they know of and this list does not is just being made.
    const standing = this.#known.standing()
    const statuses = await this.#statuses(new Set([this.version, ...standing.map((note) => note.engineVersion)]))
    return standing
      .filter((note) => this.#known.find(note.execution) === note)
      .map((note) => ({
        execution: note.execution,
        address: this.#network.slot(note.slot).address,
        engineVersion: note.engineVersion,
        status: statuses.get(note.execution) ?? 'stopped',
      }))
  }

  /** The hosts' lists. */
  async #statuses(versions: ReadonlySet<string>): Promise<ReadonlyMap<string, ObservedExecution['status']>> {
    const lists = await Promise.all([...versions].map((version) => this.#listOf(version)))
    return new Map(lists.flat().map((entry) => [entry.execution, entry.status]))
  }

  async #listOf(version: string) {
    return (await (await this.#hosts.of(version)).call('list', {})).executions
  }

  async stats(execution: string): Promise<ExecutionStats> {
    const stats = await (await this.#hostOf(execution)).call('stats', { execution })
    return { ...stats, sharesBlocks: this.#noteOf(execution).onVolume }
  }

  onExit(listener: (exit: ExecutionExit) => void): () => void {
    return this.#exits.add(listener)
  }

  onMemoryPressure(listener: (pressure: MemoryPressure) => void): () => void {
    return this.#pressures.add(listener)
  }

  async #happened(version: string, event: HostEvent): Promise<void> {
    if (event.type === 'exit') this.#known.exited({ execution: event.execution, status: event.status })
    if (event.type === 'memory') {
      const { execution, usageBytes, limitBytes } = event
      if (this.#known.find(execution)) this.#pressures.tell({ execution, usageBytes, limitBytes })
    }
    if (event.type === 'ready') await this.#reportMissed(version)
  }

  /** What ended while nobody listened, its host's knowledge of it perhaps with it. */
  async #reportMissed(version: string): Promise<void> {
    const standing = this.#known.standing().filter((note) => note.engineVersion === version)
    const statuses = await this.#statuses(new Set([version]))
    for (const { execution } of standing) {
      if ((statuses.get(execution) ?? 'stopped') === 'stopped') this.#known.exited({ execution, status: -1 })
    }
  }

  async #hostOf(execution: string): Promise<HostProcess> {
    return this.#hosts.of(this.#noteOf(execution).engineVersion)
  }

  #noteOf(execution: string): ExecutionNote {
    const note = this.#known.find(execution)
    if (!note) throw new TorporError('not_found', 'The process of the sandbox does not exist any more', { context: { execution } })
    return note
  }

  async close(): Promise<void> {
    await this.#hosts.close()
    await this.#network.close()
    this.#floor.close()
    if (this.#known.size > 0) return
    await clearCgroup(this.#group)
    await this.#network.giveBack()
  }
}
