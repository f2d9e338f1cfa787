import { randomInt } from 'node:crypto'
import type { RequestListener } from 'node:http'

import { TorporError } from '@torpor/contract'
import type { EgressRules, ExecutionExit, MemoryPressure } from '@torpor/core'
import { codeOf } from '@torpor/file-system'

import type { FakeMemory } from './fake-memory.ts'
import { FakeProcess, gone } from './fake-process.ts'

const slots = 254

/**
 * What outlives a server: its executions. A second engine on the same machine finds what the first one left running. Every
 * machine has a loopback /24 of its own.
 */
export class FakeMachine implements AsyncDisposable {
  readonly #network = `127.${randomInt(1, 255)}.${randomInt(0, 256)}`
  readonly #processes = new Map<string, FakeProcess>()
  readonly #listeners = new Set<(exit: ExecutionExit) => void>()
  readonly #pressed = new Set<(pressure: MemoryPressure) => void>()
  /** Append only: images name handlers by their number. */
  readonly #handlers: RequestListener[] = []
  #nextSlot = 0

  get processes(): FakeProcess[] {
    return [...this.#processes.values()]
  }

  /** @throws TorporError `not_found`. */
  find(execution: string): FakeProcess {
    const found = this.#processes.get(execution)
    if (!found) throw gone(execution)
    return found
  }

  /** Makes a process that is not visible before it has started. @throws TorporError `conflict` for a name in use. */
  add(execution: string, engineVersion: string, egress: EgressRules): FakeProcess {
    if (this.#processes.has(execution)) {
      throw new TorporError('conflict', 'There is such an execution already', { context: { execution } })
    }
    const added = new FakeProcess(execution, engineVersion, egress)
    this.#processes.set(execution, added)
    return added
  }

  /** Gives it the next free address; one that another program of this machine uses is passed over. */
  async start(started: FakeProcess, memory: FakeMemory): Promise<void> {
    let cause: unknown
    for (let tries = 0; tries < slots; tries += 1) {
      const address = this.#nextAddress()
      if (this.processes.some((other) => other.address === address)) continue
      try {
        return await started.start(address, memory, this.#handlers)
      } catch (error) {
        if (codeOf(error) !== 'EADDRINUSE') throw error
        cause = error
      }
    }
    throw new TorporError('exhausted', 'The server has no free address for another sandbox', { cause })
  }

  /** Ends a process and forgets it; does nothing for one that is not there. */
  async remove(execution: string): Promise<void> {
    const removed = this.#processes.get(execution)
    this.#processes.delete(execution)
    await removed?.end()
  }

  /** A process ends by itself. */
  async crash(execution: string, status: number): Promise<void> {
    const crashed = this.find(execution)
    crashed.requireAlive()
    await crashed.stop()
    for (const listener of this.#listeners) listener({ execution, status })
  }

  /** @throws TorporError `not_found`, `conflict` when it does not run. */
  pressMemory(pressure: MemoryPressure): void {
    this.find(pressure.execution).requireAlive()
    for (const listener of this.#pressed) listener(pressure)
  }

  onMemoryPressure(listener: (pressure: MemoryPressure) => void): () => void {
    this.#pressed.add(listener)
    return () => this.#pressed.delete(listener)
  }

  onExit(listener: (exit: ExecutionExit) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Gives the number under which images remember the handler. */
  addHandler(handler: RequestListener): number {
    return this.#handlers.push(handler) - 1
  }

  /** Switches the machine off: every execution ends without a word. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#processes.keys()].map((execution) => this.remove(execution)))
  }

  #nextAddress(): string {
    this.#nextSlot = (this.#nextSlot % slots) + 1
    return `${this.#network}.${this.#nextSlot}`
  }
}
