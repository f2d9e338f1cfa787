import { mkdir, realpath } from 'node:fs/promises'
import type { Socket } from 'node:net'
import path from 'node:path'

import { TorporError } from '@torpor/contract'
import type {
  Engine,
  Execution,
  ExecutionExit,
  ExecutionSpec,
  ExecutionStats,
  ImageKind,
  ImageRef,
  Log,
  ObservedExecution,
} from '@torpor/core'

import { childrenOf, clearCgroup, raiseCgroup } from './cgroups.ts'
import { ExecutionDirectories, type ExecutionNote } from './execution-directory.ts'
import type { HostProcess } from './host/host-process.ts'
import type { StartBody } from './host/protocol.ts'
import { Hosts } from './hosts.ts'
import { claimServerNumber, releaseServerNumber } from './network/claim.ts'
import { lowerFirewall, raiseFirewall, setOffline } from './network/firewall.ts'
import { Hairpin } from './network/hairpin.ts'
import { type NetworkPlan, type Slot, planNetwork, slotOf } from './network/plan.ts'
import { Resolver } from './network/resolver.ts'
import { Slots } from './network/slots.ts'
import { ociSpec } from './oci-spec.ts'

export interface GvisorOptions {
  readonly dataDirectory: string
  /** Holds `engines/`, `agents/` and `rootfs/`: immutable, addressed by content. */
  readonly artifactDirectory: string
  /** The engine build for new executions: a directory name below `engines/`. */
  readonly engineVersion: string
  /** A /16 in CIDR notation. */
  readonly network: string
  readonly allowPrivateNetworks: boolean
  readonly pidsLimit: number
  /** Memory of this machine that all sandboxes together may have, frozen ones too. */
  readonly totalMemoryBytes: number
  /** Network slots kept ready. */
  readonly spareSlots: number
  /** The platform's own names and the port they are served on, for sandboxes to reach; undefined: they do not. */
  readonly hairpin?: { readonly domain: string; readonly port: number } | undefined
  readonly locateImage: (image: ImageRef) => Promise<string>
  readonly log: Log
}

const overheadMiB = 96
const largeImageBytes = 256 * 1024 * 1024

/** The engine port on gVisor: bundles, network slots and cgroups here, the runtime behind torpor-engine. */
export class GvisorEngine implements Engine {
  readonly version: string
  readonly #options: GvisorOptions
  readonly #plan: NetworkPlan
  readonly #directories: ExecutionDirectories
  readonly #slots: Slots
  readonly #resolver: Resolver
  readonly #hairpin: Hairpin
  readonly #hosts: Hosts
  readonly #known = new Map<string, ExecutionNote>()
  readonly #clearing = new Map<string, Promise<void>>()
  readonly #listeners = new Set<(exit: ExecutionExit) => void>()
  /** Exits told already: the host repeats what it found while nobody listened. */
  readonly #told = new Set<string>()

  private constructor(options: GvisorOptions, plan: NetworkPlan) {
    this.#options = options
    this.#plan = plan
    this.version = options.engineVersion
    this.#directories = new ExecutionDirectories(path.join(options.dataDirectory, 'executions'))
    this.#slots = new Slots(plan, options.spareSlots)
    this.#resolver = new Resolver(plan.resolver, options.hairpin?.domain)
    this.#hairpin = new Hairpin(plan.resolver)
    const places = {
      enginesDirectory: path.join(options.artifactDirectory, 'engines'),
      runDirectory: path.join('/run/torpor', String(plan.server)),
      logDirectory: path.join(options.dataDirectory, 'logs'),
      log: options.log,
    }
    this.#hosts = new Hosts(
      places,
      (exit) => this.#exited(exit),
      (version) => this.#reportMissed(version),
    )
  }

  /** Prepares network, cgroup and host, finds what an earlier server left running, removes what belongs to nobody. */
  static async open(options: GvisorOptions): Promise<GvisorEngine> {
    await mkdir(path.join(options.dataDirectory, 'logs'), { recursive: true, mode: 0o700 })
    const plan = planNetwork(options.network, await claimServerNumber(options.dataDirectory))
    // The runtime refuses mounts below a symbolic link.
    const artifactDirectory = await realpath(options.artifactDirectory)
    const engine = new GvisorEngine({ ...options, artifactDirectory }, plan)
    await engine.#open()
    return engine
  }

  async #open(): Promise<void> {
    const { allowPrivateNetworks, totalMemoryBytes, hairpin } = this.#options
    const notes = await this.#directories.all()
    for (const note of notes) this.#known.set(note.execution, note)
    const offline = notes.filter((note) => note.offline).map((note) => slotOf(this.#plan, note.slot).address)
    await raiseFirewall({ plan: this.#plan, allowPrivateNetworks, publicPort: hairpin?.port }, offline)
    await Promise.all([
      this.#resolver.start().then(() => hairpin && this.#hairpin.start()),
      this.#slots.open(notes.map((note) => note.slot)),
      raiseCgroup(this.#group, totalMemoryBytes),
      this.#hosts.of(this.version).then((host) => host.ensure()),
    ])
    const strays = (await childrenOf(this.#group)).filter((name) => !this.#known.has(name))
    await Promise.all(strays.map((name) => clearCgroup(path.join(this.#group, name))))
  }

  get #group(): string {
    return `/torpor${this.#plan.server}`
  }

  /** Hands over every connection that a sandbox makes to the platform's own names. */
  onHairpin(accept: (connection: Socket) => void): void {
    this.#hairpin.onConnection(accept)
  }

  async boot(spec: ExecutionSpec, image?: ImageRef): Promise<Execution> {
    if (!image) return this.#start(spec, this.version, (host, body) => host.call('boot', body))
    const files = await this.#locate(image, 'files')
    return this.#start(spec, image.engineVersion, (host, body) => host.call('boot', { ...body, files }))
  }

  async restore(spec: ExecutionSpec, image: ImageRef): Promise<Execution> {
    const directory = await this.#locate(image, 'memory')
    return this.#start(spec, image.engineVersion, (host, body) => host.call('restore', { ...body, image: directory }))
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
    const slot = await this.#slots.take()
    const note: ExecutionNote = { execution, slot: slot.index, engineVersion, offline: !spec.allowInternetAccess }
    this.#known.set(execution, note)
    try {
      await this.#directories.create(note, ociSpec(spec, this.#places(spec, slot)))
      if (note.offline) await setOffline(this.#plan, slot.address, true)
      const host = await this.#hosts.of(engineVersion)
      await begin(host, {
        execution,
        bundle: this.#directories.pathOf(execution),
        overlayDirectory: this.#directories.overlayOf(execution),
        diskBytes: spec.resources.diskMiB * 1024 * 1024,
      })
    } catch (error) {
      await this.#clear(execution)
      throw error
    }
    return { execution, address: slot.address, engineVersion }
  }

  #places(spec: ExecutionSpec, slot: Slot) {
    const { artifactDirectory, pidsLimit } = this.#options
    return {
      rootfs: path.join(artifactDirectory, 'rootfs', spec.base.rootfs),
      agentDirectory: path.join(artifactDirectory, 'agents', spec.base.agent),
      namespacePath: slot.namespacePath,
      cgroup: path.join(this.#group, spec.execution),
      pidsLimit,
      overheadMiB,
    }
  }

  async released(execution: string): Promise<void> {
    await (await this.#hostOf(execution)).call('waitRestored', { execution })
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
    await (await this.#hostOf(execution)).call('capture', { execution, directory, direct: memoryBytes > largeImageBytes })
  }

  /** Past the page cache always: how much the files take is not known before. */
  async captureFiles(execution: string, directory: string): Promise<void> {
    await (await this.#hostOf(execution)).call('captureFiles', { execution, directory, direct: true })
  }

  async destroy(execution: string): Promise<void> {
    const note = this.#known.get(execution)
    const host = await this.#hosts.of(note?.engineVersion ?? this.version)
    await host.call('destroy', { execution })
    await this.#clear(execution)
  }

  /** Releases everything of an execution but its process; once, for all who destroy it: a kill, and the work that it overtook. */
  #clear(execution: string): Promise<void> {
    const note = this.#known.get(execution)
    const ongoing = this.#clearing.get(execution)
    if (ongoing || !note) return ongoing ?? Promise.resolve()
    const clearing = this.#clearOnce(note).finally(() => this.#clearing.delete(execution))
    this.#clearing.set(execution, clearing)
    return clearing
  }

  async #clearOnce({ execution, slot: index, offline }: ExecutionNote): Promise<void> {
    const slot = slotOf(this.#plan, index)
    await clearCgroup(path.join(this.#group, execution))
    if (offline) await setOffline(this.#plan, slot.address, false).catch(() => undefined)
    await this.#slots.release(slot)
    await this.#directories.remove(execution)
    this.#known.delete(execution)
    this.#told.delete(execution)
  }

  async list(): Promise<ObservedExecution[]> {
    const versions = new Set([this.version, ...[...this.#known.values()].map((note) => note.engineVersion)])
    const lists = await Promise.all([...versions].map((version) => this.#listOf(version)))
    const statuses = new Map(lists.flat().map((entry) => [entry.execution, entry.status]))
    return [...this.#known.values()].map((note) => ({
      execution: note.execution,
      address: slotOf(this.#plan, note.slot).address,
      engineVersion: note.engineVersion,
      status: statuses.get(note.execution) ?? 'stopped',
    }))
  }

  async #listOf(version: string) {
    return (await (await this.#hosts.of(version)).call('list', {})).executions
  }

  async stats(execution: string): Promise<ExecutionStats> {
    return (await this.#hostOf(execution)).call('stats', { execution })
  }

  onExit(listener: (exit: ExecutionExit) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  #exited({ execution, status }: ExecutionExit): void {
    if (!this.#known.has(execution) || this.#told.has(execution)) return
    this.#told.add(execution)
    for (const listener of this.#listeners) listener({ execution, status })
  }

  /** What ended while nobody listened. */
  async #reportMissed(version: string): Promise<void> {
    for (const { execution, status } of await this.#listOf(version)) {
      if (status === 'stopped') this.#exited({ execution, status: -1 })
    }
  }

  async #hostOf(execution: string): Promise<HostProcess> {
    const note = this.#known.get(execution)
    if (!note) throw new TorporError('not_found', 'The process of the sandbox does not exist any more', { context: { execution } })
    return this.#hosts.of(note.engineVersion)
  }

  async close(): Promise<void> {
    await this.#hosts.close()
    await this.#slots.close()
    this.#hairpin.close()
    await this.#resolver.close()
    if (this.#known.size > 0) return
    await lowerFirewall(this.#plan)
    await clearCgroup(this.#group)
    await releaseServerNumber(this.#plan.server)
  }
}
