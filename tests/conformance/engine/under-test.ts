import type { Engine, ExecutionExit, ExecutionSpec, ImageKind, ImageRef } from '@torpor/core'

/** An engine with what the suite must be able to do around it. */
export interface EngineUnderTest {
  readonly engine: Engine
  /** A spec that boots, with a new execution id every time. */
  spec(): ExecutionSpec
  /** A spec whose boot fails on the way; the next call on the engine is that boot. */
  failingSpec(): ExecutionSpec
  /** A new empty directory for a capture. */
  stagingDirectory(): Promise<string>
  /** Makes what was captured into `directory` restorable, as the image store would. */
  imageFrom(directory: string, kind: ImageKind): Promise<ImageRef>
  /** Removes the image's files. */
  removeImage(image: ImageRef): Promise<void>
  /** Ends the sandbox from outside, behind the engine's back. */
  crash(execution: string): Promise<void>
  /** The server restarts: `engine` is closed and another one stands on the same machine. */
  reopen(): Promise<void>
  /** Removes everything. */
  close(): Promise<void>
}

/** Gives the engine under test of the running suite. */
export type Subject = () => EngineUnderTest

/** The exits that an engine tells of, in order. */
export interface ExitLog extends Disposable {
  readonly all: readonly ExecutionExit[]
  /** Resolves with the first exit of `execution`. */
  of(execution: string): Promise<ExecutionExit>
}

export function logExits(engine: Engine): ExitLog {
  const all: ExecutionExit[] = []
  const waiting = new Map<string, (exit: ExecutionExit) => void>()
  const unsubscribe = engine.onExit((exit) => {
    all.push(exit)
    waiting.get(exit.execution)?.(exit)
  })
  return {
    all,
    of: (execution) => {
      const known = all.find((exit) => exit.execution === execution)
      return known ? Promise.resolve(known) : new Promise((resolve) => void waiting.set(execution, resolve))
    },
    [Symbol.dispose]: unsubscribe,
  }
}
