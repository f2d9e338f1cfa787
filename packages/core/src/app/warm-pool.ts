import { newExecutionId } from '@torpor/contract'

import type { TemplateBuild } from '../domain/sandbox.ts'
import type { Agent } from '../ports/agent.ts'
import type { Engine, Execution } from '../ports/engine.ts'
import type { Log } from '../ports/platform.ts'
import { Undo } from './undo.ts'

/** What the pool works with. */
interface PoolPorts {
  readonly engine: Engine
  readonly agent: Agent
  readonly log: Log
  readonly settings: { readonly agentTimeoutMilliseconds: number }
}

interface Spare extends Execution {
  readonly buildId: string
}

/**
 * Ready sandboxes without an owner, per template build, kept frozen: a create takes one and needs a thaw and a new identity
 * instead of a restore. They belong to no record, so a restarted server sweeps them.
 */
export class WarmPool {
  #spares: Spare[] = []
  #closed = false
  readonly #closing = Promise.withResolvers<void>()

  /** Resolves when no spare is wanted any more. */
  get closing(): Promise<void> {
    return this.#closing.promise
  }

  /** A thawed spare, now the caller's; undefined when there is none that works. */
  async take({ engine, log }: Pick<PoolPorts, 'engine' | 'log'>, buildId: string): Promise<Execution | undefined> {
    for (;;) {
      const spare = this.#spares.find((candidate) => candidate.buildId === buildId)
      if (!spare) return undefined
      this.#spares = this.#spares.filter((candidate) => candidate !== spare)
      try {
        await engine.thaw(spare.execution)
        return spare
      } catch (error) {
        log.warn({ execution: spare.execution, error }, 'a spare sandbox is lost')
        await engine.destroy(spare.execution)
      }
    }
  }

  /** Makes what is missing of `size` for each build, one after the other, and ends spares of other builds. */
  async fill(ports: PoolPorts, builds: readonly TemplateBuild[], size: number): Promise<void> {
    const stale = this.#spares.filter((spare) => !builds.some((build) => build.buildId === spare.buildId))
    await this.#drop(ports.engine, stale)
    for (const build of builds) {
      while (!this.#closed && this.#spares.filter((spare) => spare.buildId === build.buildId).length < size) {
        const spare = await makeSpare(ports, build)
        this.#spares.push(spare)
      }
    }
  }

  /** To be told of an execution that ended by itself; true when it was a spare. */
  forget(execution: string): boolean {
    const left = this.#spares.filter((spare) => spare.execution !== execution)
    const wasSpare = left.length < this.#spares.length
    this.#spares = left
    return wasSpare
  }

  /** Ends every spare; none is made any more. */
  async close(engine: Engine): Promise<void> {
    this.#closed = true
    this.#closing.resolve()
    await this.#drop(engine, this.#spares)
  }

  async #drop(engine: Engine, spares: readonly Spare[]): Promise<void> {
    this.#spares = this.#spares.filter((spare) => !spares.includes(spare))
    await Promise.all(spares.map((spare) => engine.destroy(spare.execution)))
  }
}

async function makeSpare(ports: PoolPorts, build: TemplateBuild): Promise<Spare> {
  const { engine, agent, settings, log } = ports
  await using undo = new Undo(log)
  const execution = newExecutionId()
  const spec = { execution, hostname: 'spare', base: build.base, resources: build.resources, allowInternetAccess: true }
  const made = await engine.restore(spec, build.image)
  undo.add('spare', () => engine.destroy(execution))
  await agent.healthy(made.address, settings.agentTimeoutMilliseconds)
  await engine.released(execution)
  await engine.freeze(execution)
  undo.release()
  return { ...made, buildId: build.buildId }
}
