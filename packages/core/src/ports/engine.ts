import type { EgressRules } from '../domain/egress.ts'
import type { Base, ImageRef, Resources } from '../domain/sandbox.ts'

/** What the engine must know to carry a sandbox. */
export interface ExecutionSpec {
  /** New for every boot and restore. */
  readonly execution: string
  readonly hostname: string
  readonly base: Base
  readonly resources: Resources
  readonly egress: EgressRules
}

export interface Execution {
  readonly execution: string
  /** IPv4 address under which this machine reaches the sandbox. */
  readonly address: string
  /** The engine build that carries it: its images can be restored by the same build only. */
  readonly engineVersion: string
}

export interface ObservedExecution extends Execution {
  readonly status: 'running' | 'frozen' | 'stopped'
}

export interface ExecutionStats {
  /** What the machine spends on it, in bytes. */
  readonly memoryBytes: number
  /** What the writes to its root take of the disk, in bytes. */
  readonly diskBytes: number
  /** Whether an image of it shares blocks with it, and takes next to no room when it is made. */
  readonly sharesBlocks: boolean
  readonly cpuNanoseconds: number
  readonly processes: number
}

/** What something takes of the volume, in bytes. */
export interface SpaceUse {
  /** As its files say. */
  readonly bytes: number
  /** That have blocks. */
  readonly allocatedBytes: number
  /** Of these, in blocks that something else has as well. */
  readonly sharedBytes: number
  /** Pieces in which its largest file lies on the disk. */
  readonly extents: number
}

export interface ExecutionExit {
  readonly execution: string
  readonly status: number
}

/** A running execution uses more memory than it may, in bytes. The kernel ends a process of its choice soon after. */
export interface MemoryPressure {
  readonly execution: string
  readonly usageBytes: number
  readonly limitBytes: number
}

/**
 * The engine: what runs sandboxes as processes of this machine. Verbs are small and compose; policy is the caller's.
 *
 * - Every execution is a separate process tree that outlives the server and the engine's own host process.
 * - `boot` and `restore` leave nothing behind when they fail; `destroy` succeeds on what does not exist.
 * - Calls on different executions run at the same time; calls on one execution are taken one after the other, except
 *   `destroy`, which makes a call in progress fail.
 *
 * Errors: `not_found` (no such execution), `conflict` (its state does not allow the verb), `no_space` (disk full during
 * a capture; the execution is unharmed), `damaged` (the image cannot be what was captured), `exhausted` (no address slot left), `unavailable` (the engine's host is down and
 * could not be started again), `internal`.
 */
export interface Engine {
  /** Identity of the engine build that writes images now. */
  readonly version: string
  /**
   * Starts the sandbox's agent on a fresh copy-on-write view of its base, or on the files that an image of kind `files` keeps.
   * Returns when it runs, not when it answers.
   */
  boot(spec: ExecutionSpec, files?: ImageRef): Promise<Execution>
  /** The same from an image of kind `memory`; several may be restored from one image at once. @throws TorporError `damaged`. */
  restore(spec: ExecutionSpec, image: ImageRef): Promise<Execution>
  /** Resolves when `image` is no longer read for this execution. */
  released(execution: string): Promise<void>
  /**
   * Writes to the disk what it has changed of its memory and files, while it runs, so that it stands still for a moment only when it is
   * captured next. Where memory is no file there is little to do.
   */
  flush(execution: string): Promise<void>
  /**
   * Reads in the background what a restore left on the disk, as far as the machine has memory to spare, so that the first use of
   * everything is not slow. Resolves at its end; ends early with the execution, and when it is frozen.
   */
  prefetch(execution: string): Promise<void>
  /** Stops every process of it between two instructions. */
  freeze(execution: string): Promise<void>
  thaw(execution: string): Promise<void>
  /** Writes the memory image into `directory`, which is empty; frozen stays frozen, running goes on. */
  capture(execution: string, directory: string): Promise<void>
  /** The same with the files of the root only, as an image of kind `files`; of a frozen execution. */
  captureFiles(execution: string, directory: string): Promise<void>
  /** Of an execution its memory and files on the volume; of an image its files. */
  space(subject: { readonly execution: string } | { readonly image: ImageRef }): Promise<SpaceUse>
  /**
   * Writes the pages of an image anew in one piece, durably; it is whole at every moment, and who reads it reads on.
   * @throws TorporError `no_space`; the signal's reason when it is aborted.
   */
  compact(image: ImageRef, signal: AbortSignal): Promise<void>
  /**
   * From now on sandboxes cannot write new pages to their disks beyond their assured part while the volume has less than this free, in
   * bytes: their programs hear that the disk is full. Nothing where memory is not on the volume.
   */
  keepFree(bytes: number): void
  /** Holds at once for every new connection; those that stand go on. Calls on one execution take effect in their order. */
  setEgress(execution: string, rules: EgressRules): Promise<void>
  destroy(execution: string): Promise<void>
  list(): Promise<ObservedExecution[]>
  stats(execution: string): Promise<ExecutionStats>
  /** Tells of executions that ended without `destroy`. Gives the function that unsubscribes. */
  onExit(listener: (exit: ExecutionExit) => void): () => void
  /** Tells of memory running short in an execution, again and again while it does. Gives the function that unsubscribes. */
  onMemoryPressure(listener: (pressure: MemoryPressure) => void): () => void
  /** Releases what the server holds; executions go on. */
  close(): Promise<void>
}
