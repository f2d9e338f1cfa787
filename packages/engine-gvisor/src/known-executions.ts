import type { ExecutionExit } from '@torpor/core'

import type { ExecutionNote } from './execution-directory.ts'

interface Known {
  readonly note: ExecutionNote
  phase: 'starting' | 'standing' | 'ending'
  /** Its end, from the moment on that it is known. */
  exit?: ExecutionExit
}

/**
 * The executions of this server, and what has been told of their ends: once each, not before their start was answered, and never when
 * they are being destroyed.
 */
export class KnownExecutions {
  readonly #all = new Map<string, Known>()
  readonly #tell: (exit: ExecutionExit) => void

  constructor(tell: (exit: ExecutionExit) => void) {
    this.#tell = tell
  }

  get size(): number {
    return this.#all.size
  }

  /** One that an earlier server left. */
  adopt(note: ExecutionNote): void {
    this.#all.set(note.execution, { note, phase: 'standing' })
  }

  /** One that is being made: known, so that nothing of it is taken for a leftover, but not listed. */
  begin(note: ExecutionNote): void {
    this.#all.set(note.execution, { note, phase: 'starting' })
  }

  /** It runs, and its caller is about to hear of it. An end that came first is told afterwards. */
  stand(execution: string): void {
    const known = this.#all.get(execution)
    if (known?.phase !== 'starting') return
    known.phase = 'standing'
    const { exit } = known
    if (exit) setImmediate(() => this.#tell(exit))
  }

  /** Its destruction begins. Gives the function that takes that back. */
  end(execution: string): () => void {
    const known = this.#all.get(execution)
    if (!known) return () => undefined
    const { phase } = known
    known.phase = 'ending'
    return () => {
      known.phase = phase
    }
  }

  forget(execution: string): void {
    this.#all.delete(execution)
  }

  find(execution: string): ExecutionNote | undefined {
    return this.#all.get(execution)?.note
  }

  /** Those that run or have ended by themselves. */
  standing(): ExecutionNote[] {
    return [...this.#all.values()].filter(({ phase }) => phase === 'standing').map(({ note }) => note)
  }

  /** An end that the host told of, or that showed in its list. */
  exited(exit: ExecutionExit): void {
    const known = this.#all.get(exit.execution)
    if (!known || known.exit) return
    known.exit = exit
    if (known.phase === 'standing') this.#tell(exit)
  }
}
