import type { RequestListener, Server } from 'node:http'

import { TorporError } from '@torpor/contract'
import type {
  EgressRules,
  Engine,
  Execution,
  ExecutionExit,
  ExecutionSpec,
  ExecutionStats,
  ImageKind,
  ImageRef,
  MemoryPressure,
  ObservedExecution,
  SpaceUse,
} from '@torpor/core'

import { FakeFaults, type Verb, type VerbCall } from './fake-faults.ts'
import { FakeMachine } from './fake-machine.ts'
import { type FakeMemory, newMemory, readFiles, readImage, writeFiles, writeImage } from './fake-memory.ts'
import type { FakeProcess } from './fake-process.ts'
import { imageSpace } from './fake-space.ts'

export interface FakeEngineOptions {
  /** Shared by engines that stand for one server after the other; a new one by default. */
  readonly machine?: FakeMachine
  /** `fake-1` by default. */
  readonly version?: string
  /** The directory of a committed image; by default the image's name is taken for it. */
  readonly locateImage?: (image: ImageRef) => Promise<string>
}

/** The engine port in memory, with the levers of a test. */
export interface FakeEngine extends Engine {
  readonly machine: FakeMachine
  readonly faults: FakeFaults
  /** Every call so far, in the order of arrival. */
  readonly calls: readonly VerbCall[]
  /** What the sandbox remembers; the test may change it. @throws TorporError `not_found`. */
  memory(execution: string): FakeMemory
  /** The rules that hold for it. @throws TorporError `not_found`. */
  egress(execution: string): EgressRules
  /** Images, by name, that lie in so many pieces; what is compacted is taken out. */
  readonly pieces: Map<string, number>
  /** What is to stay free, in bytes. */
  readonly keptFree: number
  /** Opens a port in the sandbox. It stays open over freeze, capture and restore; the server is given for upgrades. */
  listen(execution: string, port: number, handler: RequestListener): Promise<Server>
  /** The sandbox ends by itself: an exit event, and `stopped` in the list. */
  crash(execution: string, status: number): Promise<void>
  /** Its memory runs short: those who listen are told once. */
  pressMemory(execution: string, usageBytes?: number, limitBytes?: number): void
  /** The sandbox is gone, and nobody is told. */
  vanish(execution: string): Promise<void>
}

/** An engine without a kernel below it: every execution is a few HTTP servers on a loopback address of its own. */
export function createFakeEngine(options: FakeEngineOptions = {}): FakeEngine {
  return new InMemoryEngine(options)
}

class InMemoryEngine implements FakeEngine {
  readonly version: string
  readonly machine: FakeMachine
  readonly faults = new FakeFaults()
  readonly calls: VerbCall[] = []
  readonly pieces = new Map<string, number>()
  keptFree = 0
  readonly #locateImage: (image: ImageRef) => Promise<string>
  readonly #unsubscribe = new Set<() => void>()
  #closed = false

  constructor({ machine, version, locateImage }: FakeEngineOptions) {
    this.machine = machine ?? new FakeMachine()
    this.version = version ?? 'fake-1'
    this.#locateImage = locateImage ?? ((image) => Promise.resolve(image.name))
  }

  boot(spec: ExecutionSpec, files?: ImageRef): Promise<Execution> {
    return this.#start('boot', spec, async () => (files ? readFiles(await this.#locate(files, 'files'), this.version) : newMemory()))
  }

  restore(spec: ExecutionSpec, image: ImageRef): Promise<Execution> {
    return this.#start('restore', spec, async () => readImage(await this.#locate(image, 'memory'), this.version))
  }

  #locate(image: ImageRef, kind: ImageKind): Promise<string> {
    requireKind(image, kind)
    if (image.engineVersion !== this.version) throw notInstalled(image.engineVersion)
    return this.#locateImage(image)
  }

  async released(execution: string): Promise<void> {
    await this.#arrive('released', execution)
    this.machine.find(execution)
  }

  async flush(execution: string): Promise<void> {
    await this.#arrive('flush', execution)
    this.machine.find(execution).requireAlive()
  }

  async prefetch(execution: string): Promise<void> {
    await this.#arrive('prefetch', execution)
    this.machine.find(execution)
  }

  freeze(execution: string): Promise<void> {
    return this.#on('freeze', execution, (carrier) => carrier.freeze())
  }

  thaw(execution: string): Promise<void> {
    return this.#on('thaw', execution, (carrier) => carrier.thaw())
  }

  capture(execution: string, directory: string): Promise<void> {
    return this.#on('capture', execution, (carrier) => {
      carrier.requireAlive()
      return writeImage(directory, carrier.engineVersion, carrier.memory)
    })
  }

  captureFiles(execution: string, directory: string): Promise<void> {
    return this.#on('captureFiles', execution, (carrier) => {
      carrier.requireAlive()
      return writeFiles(directory, carrier.engineVersion, carrier.memory)
    })
  }

  async space(subject: { readonly execution: string } | { readonly image: ImageRef }): Promise<SpaceUse> {
    if ('image' in subject) {
      await this.#arrive('space', undefined)
      return imageSpace(await this.#locateImage(subject.image), this.pieces.get(subject.image.name) ?? 1)
    }
    await this.#arrive('space', subject.execution)
    const { diskBytes } = this.machine.find(subject.execution).stats
    return { bytes: diskBytes, allocatedBytes: diskBytes, sharedBytes: 0, extents: 1 }
  }

  async compact(image: ImageRef, signal: AbortSignal): Promise<void> {
    await this.#arrive('compact', undefined)
    signal.throwIfAborted()
    await this.#locateImage(image)
    this.pieces.delete(image.name)
  }

  keepFree(bytes: number): void {
    this.keptFree = bytes
  }

  setEgress(execution: string, rules: EgressRules): Promise<void> {
    return this.#on('setEgress', execution, (carrier) => {
      carrier.egress = rules
    })
  }

  egress(execution: string): EgressRules {
    return this.machine.find(execution).egress
  }

  async destroy(execution: string): Promise<void> {
    await this.#arrive('destroy', execution)
    await this.machine.remove(execution)
  }

  async list(): Promise<ObservedExecution[]> {
    await this.#arrive('list', undefined)
    return this.faults.told(this.machine.processes.map((carrier) => carrier.observed).filter((observed) => observed !== undefined))
  }

  stats(execution: string): Promise<ExecutionStats> {
    return this.#on('stats', execution, (carrier) => {
      carrier.requireAlive()
      return carrier.stats
    })
  }

  onExit(listener: (exit: ExecutionExit) => void): () => void {
    return this.#untilClosed(this.machine.onExit(listener))
  }

  onMemoryPressure(listener: (pressure: MemoryPressure) => void): () => void {
    return this.#untilClosed(this.machine.onMemoryPressure(listener))
  }

  #untilClosed(unsubscribe: () => void): () => void {
    this.#unsubscribe.add(unsubscribe)
    return unsubscribe
  }

  close(): Promise<void> {
    this.#closed = true
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    return Promise.resolve()
  }

  memory(execution: string): FakeMemory {
    return this.machine.find(execution).memory
  }

  async listen(execution: string, port: number, handler: RequestListener): Promise<Server> {
    const carrier = this.machine.find(execution)
    carrier.memory.services.set(port, this.machine.addHandler(handler))
    return carrier.listen(carrier.address, port, handler)
  }

  pressMemory(execution: string, usageBytes = 1, limitBytes = 1): void {
    this.machine.pressMemory({ execution, usageBytes, limitBytes })
  }

  crash(execution: string, status: number): Promise<void> {
    return this.machine.crash(execution, status)
  }

  vanish(execution: string): Promise<void> {
    return this.machine.remove(execution)
  }

  async #start(verb: 'boot' | 'restore', { execution, egress }: ExecutionSpec, load: () => Promise<FakeMemory>): Promise<Execution> {
    this.#record(verb, execution)
    const carrier = this.machine.add(execution, this.version, egress)
    try {
      await carrier.exclusive(async () => {
        await this.faults.pass({ verb, execution })
        await this.machine.start(carrier, await load())
      })
    } catch (error) {
      await this.machine.remove(execution)
      throw error
    }
    return { execution, address: carrier.address, engineVersion: this.version }
  }

  /** A call on an execution: after those before it. The work itself looks whether the state allows it. */
  async #on<T>(verb: Verb, execution: string, work: (carrier: FakeProcess) => T | Promise<T>): Promise<T> {
    this.#record(verb, execution)
    const carrier = this.machine.find(execution)
    return await carrier.exclusive(async () => {
      await this.faults.pass({ verb, execution })
      return work(carrier)
    })
  }

  async #arrive(verb: Verb, execution: string | undefined): Promise<void> {
    this.#record(verb, execution)
    await this.faults.pass({ verb, execution })
  }

  #record(verb: Verb, execution: string | undefined): void {
    if (this.#closed) throw new TorporError('unavailable', 'The engine is closed', { context: { verb } })
    this.calls.push({ verb, execution })
  }
}

function requireKind(image: ImageRef, kind: ImageKind): void {
  if (image.kind !== kind) throw new TorporError('internal', `An image of kind ${image.kind} is none of kind ${kind}`)
}

const notInstalled = (version: string): TorporError =>
  new TorporError('unavailable', 'The engine build that saved this sandbox is not installed any more', { context: { version } })
