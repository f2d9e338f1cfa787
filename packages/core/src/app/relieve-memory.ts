import type { SandboxRecord } from '../domain/sandbox.ts'
import type { EndedProcess } from '../ports/agent.ts'
import type { MemoryPressure } from '../ports/engine.ts'
import { pullJournal } from './journal.ts'
import type { Ports } from './ports.ts'

const mebibyte = 1024 * 1024
/** Smaller processes are no cause of a shortage, and their end no cure… */
const smallBytes = 8 * mebibyte
/** …unless it goes on growing: above this the kernel acts soon, and what it ends may be the whole sandbox. */
const urgentBytes = 128 * mebibyte
const lookMilliseconds = 10
/** Within which memory of a process that is gone comes back to the machine. */
const returnMilliseconds = (bytes: number): number => 2 * lookMilliseconds + bytes / (4 * mebibyte)
/** The same where it is not known what is gone. */
const lingerMilliseconds = 500
/** How long nothing is tried again in a sandbox where no process takes the memory. */
const restMilliseconds = 5000
/** After so many the engine is to tell again. */
const mostTries = 64
/** An end so soon after a shortage is its consequence. */
const blameMilliseconds = 10_000

/**
 * Ends, in a sandbox that uses more memory than it may, the process that takes most, and the next one while that is not enough: one at
 * a time, so that nothing is lost beyond need. Who ran it is told by its end, and the sandbox's log has it.
 */
export class MemoryRelief {
  readonly #relieving = new Set<string>()
  /** Executions that were short, and until when that explains their end. */
  readonly #short = new Map<string, number>()
  /** Executions whose memory no process takes, and until when they are let alone. */
  readonly #resting = new Map<string, number>()

  /** Does nothing for what is not awake, or is just being put to sleep, copied or ended: the engine tells again while it lasts. */
  async relieve(ports: Ports, pressure: MemoryPressure): Promise<void> {
    const { execution } = pressure
    const now = ports.clock.now()
    for (const times of [this.#short, this.#resting]) for (const [other, until] of times) if (until <= now) times.delete(other)
    this.#short.set(execution, now + blameMilliseconds)
    const record = ports.store.sandboxOf(execution)
    if (!record || this.#relieving.has(execution) || this.#resting.has(execution) || !isAwake(ports, record)) return
    this.#relieving.add(execution)
    try {
      ports.log.info({ id: record.id, ...pressure }, 'a sandbox is out of memory')
      const { ended, biggest, isHeldByFiles } = await endUntilBelow(ports, record, pressure)
      if (isHeldByFiles) this.#resting.set(execution, ports.clock.now() + restMilliseconds)
      await pullJournal(ports, record)
      // One line, however many: a sandbox must not fill the log. Its own has all of them.
      ports.log.warn({ id: record.id, ...pressure, ended, biggest, isHeldByFiles }, 'processes were ended: their sandbox was out of memory')
    } finally {
      this.#relieving.delete(execution)
    }
  }

  /** Whether an execution that ended ran out of memory just before. */
  explains({ clock }: Ports, execution: string): boolean {
    return (this.#short.get(execution) ?? 0) > clock.now()
  }
}

function isAwake({ store, transitions }: Ports, { id, execution }: SandboxRecord): boolean {
  const now = store.getSandbox(id)
  return now?.state === 'running' && now.execution === execution && transitions.current(id) === undefined
}

interface Outcome {
  readonly ended: number
  readonly biggest: EndedProcess | undefined
  /** No process takes the memory, and nothing takes more of it. */
  readonly isHeldByFiles: boolean
}

async function endUntilBelow(ports: Ports, record: SandboxRecord, { execution, limitBytes }: MemoryPressure): Promise<Outcome> {
  const { address } = ports.executions.get(execution)
  const token = record.secure ? ports.tokens.access(record.id) : null
  const victims: EndedProcess[] = []
  const outcome = (isHeldByFiles: boolean): Outcome => ({ ended: victims.length, biggest: victims[0], isHeldByFiles })
  // What was told may be over: the kernel is quicker where memory is taken very fast.
  let usage = (await ports.engine.stats(execution)).memoryBytes
  for (let tries = 0; tries < mostTries && usage >= limitBytes && isAwake(ports, record); tries += 1) {
    const victim = await ports.agent.endBiggest(address, token, usage > limitBytes + urgentBytes ? 0 : smallBytes)
    if (victim) victims.push(victim)
    // What the sandbox says of its processes is believed up to its limit.
    const wait = victim ? returnMilliseconds(Math.min(victim.rssBytes, limitBytes)) : lingerMilliseconds
    const left = await usageAfter(ports, execution, { below: limitBytes, above: victim ? Number.POSITIVE_INFINITY : usage }, wait)
    if (!victim && left >= limitBytes && left <= usage) return outcome(true)
    usage = left
  }
  return outcome(false)
}

interface Bounds {
  readonly below: number
  readonly above: number
}

/** What is used as soon as it has left the bounds, or after so many milliseconds. */
async function usageAfter({ engine, clock }: Ports, execution: string, { below, above }: Bounds, milliseconds: number): Promise<number> {
  const end = clock.now() + milliseconds
  for (;;) {
    const { memoryBytes } = await engine.stats(execution)
    if (memoryBytes < below || memoryBytes > above || clock.now() >= end) return memoryBytes
    await new Promise<void>((resolve) => void clock.after(lookMilliseconds, resolve))
  }
}
