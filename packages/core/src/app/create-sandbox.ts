import { TorporError, newExecutionId, newSandboxId } from '@torpor/contract'

import { effectiveTimeout, endAfter } from '../domain/deadlines.ts'
import type { SandboxRecord, TemplateBuild } from '../domain/sandbox.ts'
import type { Execution } from '../ports/engine.ts'
import { admitSandbox } from './admit-sandbox.ts'
import type { Ports } from './ports.ts'
import { applyAction, eventOf, executionOf, identityOf, routeOf } from './records.ts'
import { specOf } from './spec.ts'
import { Undo } from './undo.ts'
import type { CreateCommand } from './use-cases.ts'

/** Restores the template's captured sandbox under a new identity. Resolves when its agent has taken it. */
export async function createSandbox(ports: Ports, command: CreateCommand): Promise<SandboxRecord> {
  const { store, engine, clock, log } = ports
  const build = findTemplate(store, command.template)
  const timeoutSeconds = effectiveTimeout(command.timeoutSeconds, ports.settings)
  admitSandbox(ports, build.resources)

  await using undo = new Undo(log)
  const spare = await takeSpare(ports, command, build)
  if (spare) undo.add('spare', () => engine.destroy(spare.execution))
  // Once more: others may have come in while the spare was thawed.
  admitSandbox(ports, build.resources)
  const record = newRecord(command, build, timeoutSeconds, clock.now(), spare?.execution ?? newExecutionId())
  store.insertSandbox(record)
  undo.add('record', () => void store.deleteSandbox(record.id, eventOf(record, clock.now(), 'killed', 'create failed')))
  const execution = spare ?? (await restore(ports, record, build, undo))
  await ports.agent.init(execution.address, identityOf(record, ports))

  const now = clock.now()
  const times = { startedAt: now, endAt: endAfter(now, timeoutSeconds) }
  const running = applyAction(store, record, 'start', times, eventOf(record, now, 'created', 'api'))
  undo.release()
  ports.executions.put(execution)
  ports.routes.publish(routeOf(running, ports.tokens, execution.address))
  ports.nudge(running)
  return running
}

/** Spares have internet access: a sandbox without is restored into a slot of its own kind. */
async function takeSpare(ports: Ports, command: CreateCommand, build: TemplateBuild): Promise<Execution | undefined> {
  return command.network.allowInternetAccess === false ? undefined : ports.pool.take(ports, build.buildId)
}

async function restore(ports: Ports, record: SandboxRecord, build: TemplateBuild, undo: Undo): Promise<Execution> {
  const { engine, agent, settings } = ports
  const spec = specOf(record, executionOf(record))
  const execution = await engine.restore(spec, build.image)
  undo.add('execution', () => engine.destroy(spec.execution))
  await agent.healthy(execution.address, settings.agentTimeoutMilliseconds)
  return execution
}

function findTemplate(store: Ports['store'], asked: string): TemplateBuild {
  const name = asked.endsWith(':default') ? asked.slice(0, -':default'.length) : asked
  const build = store.getTemplate(name)
  if (!build) throw new TorporError('not_found', `template '${asked}' not found`)
  return build
}

function newRecord(command: CreateCommand, build: TemplateBuild, timeoutSeconds: number, now: number, execution: string): SandboxRecord {
  return {
    id: newSandboxId(),
    templateId: build.templateId,
    buildId: build.buildId,
    alias: build.names[0] ?? null,
    state: 'creating',
    generation: 0,
    execution,
    image: null,
    base: build.base,
    resources: build.resources,
    createdAt: now,
    startedAt: now,
    endAt: endAfter(now, timeoutSeconds),
    timeoutSeconds,
    pausedAt: null,
    lifecycle: command.lifecycle,
    metadata: command.metadata,
    env: command.env,
    network: command.network,
    secure: command.secure,
  }
}
