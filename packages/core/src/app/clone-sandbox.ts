import { TorporError, isKind, newTemplateId, toTorporError } from '@torpor/contract'

import { effectiveTimeout } from '../domain/deadlines.ts'
import type { SandboxRecord } from '../domain/sandbox.ts'
import { captureRunning } from './capture-running.ts'
import { cloneRecord } from './create-sandbox.ts'
import { holdImage } from './hold-image.ts'
import { killSandbox } from './kill-sandbox.ts'
import type { Ports } from './ports.ts'
import { requireSandbox } from './records.ts'
import type { Seed } from './start-execution.ts'
import { startSandbox } from './start-sandbox.ts'
import type { CloneCommand, CloneOutcome } from './use-cases.ts'

/** Clones that are started at the same time; more would only wait for each other. */
const atOnce = 4

/**
 * Makes `count` sandboxes with the files and the memory of their parent at one moment (promises C1–C3, C7, C8). A running parent
 * stands still for the capture only; a paused one stays asleep. One outcome per clone, each its own.
 */
export async function cloneSandbox(ports: Ports, id: string, command: CloneCommand): Promise<CloneOutcome[]> {
  requireSandbox(ports.store, id)
  if (ports.transitions.current(id) === 'pause') await ports.transitions.settled(id)
  const parent = requireSandbox(ports.store, id)
  const inherited = parent.state === 'running' ? parent.timeoutSeconds : undefined
  const timeoutSeconds = effectiveTimeout(command.timeoutSeconds ?? inherited, ports.settings)
  const holder = parent.secure ? ports.tokens.access(parent.id) : null
  if (parent.state === 'running') {
    const image = await captureRunning(ports, id, newTemplateId(), (captured) => ({ captured, held: holdImage(ports, captured) }))
    await using _held = image.held
    await ports.reached('clone captured')
    return await startAll(ports, parent, { image: image.captured, holder }, { count: command.count, timeoutSeconds })
  }
  if (parent.image === null) throw new TorporError('conflict', `Sandbox "${id}" is changing. Try again`)
  await using _held = holdImage(ports, parent.image)
  return await startAll(ports, parent, { image: parent.image, holder }, { count: command.count, timeoutSeconds })
}

/** All or none (promise C6). @throws TorporError of the first one that failed, with what became of the others. */
export async function cloneStrictly(ports: Ports, id: string, command: CloneCommand): Promise<SandboxRecord[]> {
  const outcomes = await cloneSandbox(ports, id, command)
  const made = madeOf(outcomes)
  const [failure] = errorsOf(outcomes)
  if (!failure) return made
  await Promise.all(made.map((sandbox) => killSandbox(ports, sandbox.id, 'clone failed')))
  const message = `Only ${made.length} of ${command.count} clones could be made, so none is kept: ${failure.message}`
  throw new TorporError(failure.kind, message, { cause: failure, context: failure.context })
}

/** As many as could be made (promise C5). @throws TorporError when that is none. */
export async function cloneLeniently(ports: Ports, id: string, command: CloneCommand): Promise<SandboxRecord[]> {
  const outcomes = await cloneSandbox(ports, id, command)
  const made = madeOf(outcomes)
  const [failure] = errorsOf(outcomes)
  if (made.length === 0 && failure) throw failure
  return made
}

const madeOf = (outcomes: readonly CloneOutcome[]): SandboxRecord[] =>
  outcomes.flatMap((outcome) => ('sandbox' in outcome ? [outcome.sandbox] : []))

const errorsOf = (outcomes: readonly CloneOutcome[]): TorporError[] =>
  outcomes.flatMap((outcome) => ('error' in outcome ? [outcome.error] : []))

async function startAll(
  ports: Ports,
  parent: SandboxRecord,
  seed: Seed,
  { count, timeoutSeconds }: { readonly count: number; readonly timeoutSeconds: number },
): Promise<CloneOutcome[]> {
  const outcomes: CloneOutcome[] = []
  let begun = 0
  const worker = async (): Promise<void> => {
    while (begun < count) {
      begun += 1
      outcomes.push(await startClone(ports, cloneRecord(ports, parent, timeoutSeconds), seed))
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, count) }, worker))
  return outcomes
}

async function startClone(ports: Ports, record: SandboxRecord, seed: Seed): Promise<CloneOutcome> {
  try {
    const sandbox = await startSandbox(ports, record, seed, undefined, 'clone')
    await ports.reached('clone started')
    return { sandbox }
  } catch (error) {
    if (!isKind(error, 'exhausted', 'not_found')) ports.log.warn({ error }, 'a clone could not be made')
    return { error: toTorporError(error) }
  }
}
