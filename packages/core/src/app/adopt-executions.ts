import { isKind } from '@torpor/contract'

import type { SandboxRecord } from '../domain/sandbox.ts'
import type { ObservedExecution } from '../ports/engine.ts'
import { forgetImage } from './forget-image.ts'
import { dropImage } from './hold-image.ts'
import { finishPause } from './pause-sandbox.ts'
import type { Ports } from './ports.ts'
import { eventOf, routeOf } from './records.ts'
import { enforceEgress } from './update-network.ts'

/** What a restarted server found, for the log. */
export interface Adoption {
  readonly running: number
  readonly paused: number
  readonly lost: number
  readonly orphans: number
}

type Fate = 'running' | 'paused' | 'lost'

/**
 * Brings records and engine together after a restart: running sandboxes are found again (thawed if a pause was cut off before it
 * was recorded), pauses that were recorded are finished, paused ones keep their frozen process if it still is there, interrupted
 * creates and lost sandboxes end with an event, executions and images that belong to nobody are removed. Safe to repeat.
 */
export async function adoptExecutions(ports: Ports): Promise<Adoption> {
  const { store, engine, images, log } = ports
  const observed = new Map((await engine.list()).map((entry) => [entry.execution, entry]))
  await images.sweep(store.allImages())
  const fates: Fate[] = []
  for (const record of store.allSandboxes()) {
    const fate = await adoptOrLose(ports, record, observed.get(record.execution ?? ''))
    log.info({ id: record.id, execution: record.execution, fate }, 'sandbox found after a restart')
    fates.push(fate)
  }
  const kept = new Set(store.allSandboxes().map((record) => record.execution))
  const orphans = [...observed.keys()].filter((execution) => !kept.has(execution))
  for (const execution of orphans) await engine.destroy(execution)
  const count = (fate: Fate): number => fates.filter((entry) => entry === fate).length
  return { running: count('running'), paused: count('paused'), lost: count('lost'), orphans: orphans.length }
}

/**
 * One sandbox that cannot be brought back must not keep the others waiting. An engine that does not answer at all says nothing
 * about any of them: then the start fails, and nothing is lost.
 */
async function adoptOrLose(ports: Ports, record: SandboxRecord, observed: ObservedExecution | undefined): Promise<Fate> {
  try {
    return await adopt(ports, record, observed)
  } catch (error) {
    if (isKind(error, 'unavailable', 'timed_out')) throw error
    ports.log.error({ id: record.id, execution: record.execution, error }, 'a sandbox could not be found again')
    return lose(ports, record, 'lost')
  }
}

async function adopt(ports: Ports, record: SandboxRecord, observed: ObservedExecution | undefined): Promise<Fate> {
  // A change of its rules may be on record and not yet in force.
  if (observed) await enforceEgress(ports, record)
  switch (record.state) {
    case 'creating':
      return lose(ports, record, 'create interrupted')
    case 'running':
      return adoptRunning(ports, record, observed)
    case 'pausing':
      return adoptPausing(ports, record, observed)
    case 'paused':
      return adoptPaused(ports, record, observed)
  }
}

async function adoptRunning(ports: Ports, record: SandboxRecord, listed: ObservedExecution | undefined): Promise<Fate> {
  const observed = listed?.status === 'frozen' ? await thawed(ports, listed.execution) : listed
  if (!observed || observed.status === 'stopped') {
    return record.image ? fallBack(ports, record) : lose(ports, record, 'lost')
  }
  ports.executions.put(observed)
  ports.routes.publish(routeOf(record, ports.tokens, observed.address))
  // Or a later loss of its process would bring back this older state.
  forgetImage(ports, record)
  return 'running'
}

/** The thaw that the earlier server had begun may come before this one, and so may an end: what counts is what stands then. */
async function thawed({ engine }: Ports, execution: string): Promise<ObservedExecution | undefined> {
  try {
    await engine.thaw(execution)
  } catch (error) {
    if (!isKind(error, 'conflict', 'not_found')) throw error
  }
  return (await engine.list()).find((entry) => entry.execution === execution)
}

/**
 * Its owner may have been told that it sleeps: the pause is finished behind the start. Without its process the newest state is
 * gone, and an older one is not put in its place.
 */
async function adoptPausing(ports: Ports, record: SandboxRecord, observed: ObservedExecution | undefined): Promise<Fate> {
  if (!observed || observed.status === 'stopped') return lose(ports, record, 'lost while it was paused')
  if (observed.status === 'running') await ports.engine.freeze(observed.execution)
  ports.executions.put(observed)
  ports.routes.publish(routeOf(record, ports.tokens, null))
  finishPause(ports, record.id).catch((error: unknown) => {
    ports.log.error({ id: record.id, error }, 'an interrupted pause could not be finished; the sandbox goes on')
  })
  return 'paused'
}

/** The resume was cut off before it was answered for: the image that it came from still is its last committed state. */
function fallBack(ports: Ports, record: SandboxRecord): Fate {
  const { id, state, generation, execution } = record
  const patch = { state: 'paused', execution: null, pausedAt: ports.clock.now() } as const
  const event = eventOf(record, ports.clock.now(), 'paused', 'resume interrupted')
  ports.store.updateSandbox({ id, state, generation, execution }, patch, event)
  ports.routes.publish(routeOf(record, ports.tokens, null))
  return 'paused'
}

function adoptPaused(ports: Ports, record: SandboxRecord, observed: ObservedExecution | undefined): Fate {
  ports.routes.publish(routeOf(record, ports.tokens, null))
  if (observed?.status === 'frozen') {
    ports.executions.put(observed)
  } else if (record.execution !== null) {
    const { id, state, generation, execution } = record
    ports.store.updateSandbox({ id, state, generation, execution }, { execution: null })
  }
  return 'paused'
}

async function lose(ports: Ports, record: SandboxRecord, reason: string): Promise<Fate> {
  if (record.execution !== null) await ports.engine.destroy(record.execution)
  ports.store.deleteSandbox(record.id, eventOf(record, ports.clock.now(), 'killed', reason))
  if (record.image) await dropImage(ports, record.image)
  return 'lost'
}
