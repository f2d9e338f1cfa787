import { TorporError } from '@torpor/contract'

import type { Execution } from '../ports/engine.ts'

/** Where the executions of this server can be reached; rebuilt from the engine at start. */
export class ExecutionTable {
  readonly #executions = new Map<string, Execution>()

  put(execution: Execution): void {
    this.#executions.set(execution.execution, execution)
  }

  remove(execution: string): void {
    this.#executions.delete(execution)
  }

  /** @throws TorporError `internal`: a record names an execution that the engine never reported. */
  get(execution: string): Execution {
    const found = this.#executions.get(execution)
    if (!found) throw new TorporError('internal', 'The sandbox is not carried by any process', { context: { execution } })
    return found
  }
}
