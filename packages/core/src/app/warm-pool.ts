import { isKind, newExecutionId } from '@torpor/contract'

import { openEgress } from '../domain/egress.ts'
import type { ImageRef } from '../domain/sandbox.ts'
import type { Demand } from '../domain/spares.ts'
import type { TemplateBuild } from '../domain/template.ts'
import type { Agent, AgentSurroundings } from '../ports/agent.ts'
import type { Engine, Execution } from '../ports/engine.ts'
import type { Clock, Log } from '../ports/platform.ts'
import { Undo } from './undo.ts'

/** What the pool works with. */
interface PoolPorts {
  readonly engine: Engine
  readonly agent: Agent
  readonly log: Log
  /** Keeps an image while it is read. */
  readonly hold: (image: ImageRef) => AsyncDisposable
  /** What every sandbox is told of the machine around it. */
  readonly surroundings: Omit<AgentSurroundings, 'templateId' | 'hostname'>
  readonly settings: { readonly agentTimeoutMilliseconds: number }
}

interface Spare extends Execution {
  readonly buildId: string
  readonly bytes: number
}

const minute = 60_000

/**
 * Ready sandboxes without an owner, per template build, kept frozen: a create takes one and needs a thaw and a new identity
 * instead of a restore. They belong to no record, so a restarted server sweeps them.
 */
export class WarmPool {
  #spares: Spare[] = []
  #closed = false
  /** When each build was asked for; the last minute's, and the last one before. */
  readonly #asked = new Map<string, number[]>()
  /** What the last spare of each build held. */
  readonly #bytes = new Map<string, number>()
  readonly #closing = Promise.withResolvers<void>()
  readonly #openedAt: number

  /** A start counts as use of every template. */
  constructor(now: number) {
    this.#openedAt = now
  }

  /** Resolves when no spare is wanted any more. */
  get closing(): Promise<void> {
    return this.#closing.promise
  }

  /** The processes of all spares. */
  get executions(): string[] {
    return this.#spares.map((spare) => spare.execution)
  }

  /** A thawed spare, now the caller's; undefined when there is none that works. */
  async take(
    { engine, log, clock }: Pick<PoolPorts, 'engine' | 'log'> & { clock: Clock },
    buildId: string,
  ): Promise<Execution | undefined> {
    this.#note(buildId, clock.now())
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

  /** How much each build is in use. */
  demandFor({ buildId, createdAt }: TemplateBuild, now: number, bytesOfUnknown: number): Demand {
    const asked = this.#asked.get(buildId) ?? []
    return {
      buildId,
      lastAskedAt: Math.max(createdAt, this.#openedAt, asked.at(-1) ?? 0),
      asked: asked.filter((at) => at > now - minute).length,
      bytesPerSpare: this.#bytes.get(buildId) ?? bytesOfUnknown,
    }
  }

  /** Ends what is too many, and all of builds that are not wanted; makes what is missing, one after the other. */
  async refill(ports: PoolPorts, builds: readonly TemplateBuild[], wanted: ReadonlyMap<string, number>): Promise<void> {
    const excess = this.#spares.filter(({ buildId }, index) => {
      const before = this.#spares.slice(0, index).filter((other) => other.buildId === buildId).length
      return before >= (wanted.get(buildId) ?? 0)
    })
    await this.#drop(ports.engine, excess)
    for (const build of builds) {
      while (!this.#closed && this.#countOf(build) < (wanted.get(build.buildId) ?? 0)) {
        const spare = await makeSpare(ports, build).catch(unlessGone)
        if (!spare) break
        this.#spares.push(spare)
        this.#bytes.set(spare.buildId, Math.max(1, spare.bytes))
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

  #countOf({ buildId }: TemplateBuild): number {
    return this.#spares.filter((spare) => spare.buildId === buildId).length
  }

  #note(buildId: string, now: number): void {
    const recent = (this.#asked.get(buildId) ?? []).filter((at) => at > now - minute)
    this.#asked.set(buildId, [...recent, now])
  }

  async #drop(engine: Engine, spares: readonly Spare[]): Promise<void> {
    this.#spares = this.#spares.filter((spare) => !spares.includes(spare))
    await Promise.all(spares.map((spare) => engine.destroy(spare.execution)))
  }
}

/** A build may be replaced or deleted at any time. */
function unlessGone(error: unknown): undefined {
  if (!isKind(error, 'not_found')) throw error
}

async function makeSpare(ports: PoolPorts, build: TemplateBuild): Promise<Spare> {
  const { engine, agent, settings, surroundings, log } = ports
  await using _held = ports.hold(build.image)
  await using undo = new Undo(log)
  const execution = newExecutionId()
  const hostname = 'spare'
  const spec = { execution, hostname, base: build.base, resources: build.resources, egress: openEgress }
  const made = await engine.restore(spec, build.image)
  undo.add('spare', () => engine.destroy(execution))
  await agent.healthy(made.address, settings.agentTimeoutMilliseconds)
  await agent.prepare(made.address, { templateId: build.templateId, hostname, ...surroundings })
  await engine.released(execution)
  const { memoryBytes } = await engine.stats(execution)
  await engine.freeze(execution)
  undo.release()
  return { ...made, buildId: build.buildId, bytes: memoryBytes }
}
