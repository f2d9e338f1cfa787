import type { SandboxRecord } from '../domain/sandbox.ts'
import type { Engine } from '../ports/engine.ts'
import type { Metrics, Sample } from '../ports/metrics.ts'
import type { Clock, Log } from '../ports/platform.ts'

interface SamplerPorts {
  readonly engine: Engine
  readonly metrics: Metrics
  readonly clock: Clock
  readonly log: Log
}

/** Nobody waits longer for a last sample. */
const lastMilliseconds = 200

/** Takes samples of what sandboxes use; remembers the processor time of the last one, to tell the share of the time between. */
export class Sampler {
  readonly #last = new Map<string, { readonly at: number; readonly cpuNanoseconds: number }>()

  /** One sample of each; forgets those that are not among them. One that cannot be asked has none this time (promise M2). */
  async sampleAll(ports: SamplerPorts, running: readonly SandboxRecord[]): Promise<void> {
    const executions = new Set(running.map(({ execution }) => execution))
    for (const execution of this.#last.keys()) if (!executions.has(execution)) this.#last.delete(execution)
    const samples = await Promise.all(running.map((record) => this.#sample(ports, record).catch(() => undefined)))
    const taken = samples.filter((sample) => sample !== undefined)
    if (taken.length > 0) ports.metrics.append(taken)
  }

  /** The one before an end (promise M2); a failure or a delay is no reason to put the end off. */
  async sampleLast(ports: SamplerPorts, record: SandboxRecord): Promise<void> {
    const late = Promise.withResolvers<void>()
    const cancel = ports.clock.after(lastMilliseconds, late.resolve)
    try {
      await Promise.race([this.#sample(ports, record).then((sample) => sample && ports.metrics.append([sample])), late.promise])
    } catch (error) {
      ports.log.info({ id: record.id, error }, 'there is no last sample of a sandbox')
    } finally {
      cancel()
    }
  }

  async #sample({ engine, clock }: SamplerPorts, record: SandboxRecord): Promise<Sample | undefined> {
    const { id: sandboxId, execution, resources } = record
    if (execution === null) return undefined
    const { memoryBytes, diskBytes, cpuNanoseconds } = await engine.stats(execution)
    const at = clock.now()
    const before = this.#last.get(execution) ?? { at: record.startedAt, cpuNanoseconds: 0 }
    this.#last.set(execution, { at, cpuNanoseconds })
    const share = at > before.at ? Math.max(0, cpuNanoseconds - before.cpuNanoseconds) / ((at - before.at) * 1e6) : 0
    return {
      sandboxId,
      at,
      cpuCount: resources.cpuCount,
      cpuUsedPercent: Math.min(Math.round(share * 10_000) / 100, resources.cpuCount * 100),
      memoryUsedBytes: memoryBytes,
      memoryTotalBytes: resources.memoryMiB * mebibyte,
      diskUsedBytes: diskBytes,
      diskTotalBytes: resources.diskMiB * mebibyte,
    }
  }
}

const mebibyte = 1024 * 1024
