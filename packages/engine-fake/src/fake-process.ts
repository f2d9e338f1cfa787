import type { RequestListener, Server } from 'node:http'

import { TorporError, agentPort } from '@torpor/contract'
import type { EgressRules, ExecutionStats, ObservedExecution } from '@torpor/core'

import { fakeAgent } from './fake-agent.ts'
import { type FakeMemory, newMemory } from './fake-memory.ts'
import { FreezableServer } from './freezable-server.ts'

type Status = ObservedExecution['status'] | 'starting' | 'gone'

/** One execution: a memory, an address, and the servers that stand for what runs in it. */
export class FakeProcess {
  readonly execution: string
  readonly engineVersion: string
  memory: FakeMemory = newMemory()
  address = ''
  egress: EgressRules
  #status: Status = 'starting'
  readonly #startedAt = process.hrtime.bigint()
  readonly #servers = new Map<number, FreezableServer>()
  /** The calls on it, one after the other. */
  #turn: Promise<unknown> = Promise.resolve()
  readonly #gone = Promise.withResolvers<never>()

  constructor(execution: string, engineVersion: string, egress: EgressRules) {
    this.execution = execution
    this.engineVersion = engineVersion
    this.egress = egress
    this.#gone.promise.catch(() => undefined)
  }

  get status(): Status {
    return this.#status
  }

  /** What `list` shows; undefined while it is being made. */
  get observed(): ObservedExecution | undefined {
    const { execution, address, engineVersion } = this
    if (this.#status === 'starting' || this.#status === 'gone') return undefined
    return { execution, address, engineVersion, status: this.#status }
  }

  get stats(): ExecutionStats {
    const cpuNanoseconds = Number(process.hrtime.bigint() - this.#startedAt)
    const taken = this.memory.processes.values().reduce((sum, bytes) => sum + bytes, this.memory.counter)
    return { memoryBytes: 16 * 1024 * 1024 + taken, diskBytes: 4096, cpuNanoseconds, processes: 3, sharesBlocks: false }
  }

  /** Does `work` when all earlier calls are done; fails at once when the execution is destroyed meanwhile. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(() => {
      this.requireNotGone()
      return work()
    })
    this.#turn = turn.catch(() => undefined)
    return Promise.race([turn, this.#gone.promise])
  }

  /** Puts the agent and the services of `memory` on `address`. */
  async start(address: string, memory: FakeMemory, handlers: readonly RequestListener[]): Promise<void> {
    const services = [...memory.services].map(([port, number]) => [port, handlers[number]] as const)
    try {
      for (const [port, handler] of [[agentPort, fakeAgent(memory)] as const, ...services]) {
        if (handler) await this.listen(address, port, handler)
      }
    } catch (error) {
      await this.#closeServers()
      throw error
    }
    this.address = address
    this.memory = memory
    this.#status = 'running'
  }

  async listen(address: string, port: number, handler: RequestListener): Promise<Server> {
    const server = new FreezableServer(handler)
    await server.listen(port, address)
    if (this.#status === 'gone') await server.close()
    this.requireNotGone()
    this.#servers.set(port, server)
    return server.server
  }

  freeze(): void {
    this.#change('running', 'frozen')
    for (const server of this.#servers.values()) server.freeze()
  }

  thaw(): void {
    this.#change('frozen', 'running')
    for (const server of this.#servers.values()) server.thaw()
  }

  /** It ended by itself: it stays known until it is destroyed. */
  async stop(): Promise<void> {
    this.#status = 'stopped'
    await this.#closeServers()
  }

  /** Ends it; every call in progress fails. */
  async end(): Promise<void> {
    this.#status = 'gone'
    this.#gone.reject(gone(this.execution))
    await this.#closeServers()
  }

  /** @throws TorporError `not_found`. */
  requireNotGone(): void {
    if (this.#status === 'gone') throw gone(this.execution)
  }

  /** @throws TorporError `conflict` when it is not running and not frozen. */
  requireAlive(): void {
    if (this.#status !== 'running' && this.#status !== 'frozen') throw wrongState(this.execution, this.#status)
  }

  #change(from: Status, to: Status): void {
    if (this.#status !== from) throw wrongState(this.execution, this.#status)
    this.#status = to
  }

  async #closeServers(): Promise<void> {
    const servers = [...this.#servers.values()]
    this.#servers.clear()
    await Promise.all(servers.map((server) => server.close()))
  }
}

export const gone = (execution: string): TorporError =>
  new TorporError('not_found', 'The process of the sandbox does not exist any more', { context: { execution } })

const wrongState = (execution: string, status: string): TorporError =>
  new TorporError('conflict', 'The process of the sandbox is in another state. Try again', { context: { execution, status } })
