import { TorporError } from '@torpor/contract'

import { type StepInput, parseSteps } from '../../domain/build-step.ts'
import { type BuildRecord, noStart } from '../../domain/template.ts'
import type { RegistryCredentials } from '../../ports/oci-images.ts'
import type { Ports } from '../ports.ts'
import { requireBuild as requireReady } from '../source.ts'
import { BuildLog } from './build-log.ts'
import type { Origin } from './foundation.ts'
import { type BuildPlan, runBuild } from './run-build.ts'
import { requireBuild } from './template-records.ts'

export interface StartBuildCommand {
  readonly fromTemplate?: string | undefined
  readonly fromImage?: string | undefined
  readonly registry?: RegistryCredentials | undefined
  readonly steps: readonly StepInput[]
  readonly startCmd?: string | undefined
  readonly readyCmd?: string | undefined
  readonly force: boolean
}

/** What both families' SDKs and documents build on: here these images are the built-in templates. */
const familyImages = /^(?:e2bdev|novita)\/(base|code-interpreter)(?::latest)?$/
const builtIn = { base: 'base', 'code-interpreter': 'code-interpreter-v1' }

/**
 * Starts a registered build: it goes on behind this, and is told of by its status and log. A build of the same template that is in
 * progress ends in favour of this one. @throws TorporError `not_found`, `invalid_argument`.
 */
export async function startBuild(ports: Ports, templateId: string, buildId: string, command: StartBuildCommand): Promise<void> {
  const { store, clock, builds } = ports
  const record = requireBuild(store, templateId, buildId)
  const plan = planOf(ports, command)
  await requireFiles(ports, plan)
  const started = store.templates.updateBuild(buildId, 'waiting', { status: 'building', startedAt: clock.now() })
  if (!started) throw new TorporError('invalid_argument', `build '${buildId}' was started before; register another one`)
  supersede(ports, started)
  const log = new BuildLog(store.templates, buildId, () => clock.now())
  const job = { buildId, templateId: record.templateId, resources: record.resources, log, abort: new AbortController() }
  builds.add(job, () => runBuild(ports, job, plan))
}

function planOf(ports: Ports, command: StartBuildCommand): BuildPlan {
  const origin = originOf(ports, command)
  const { startCmd, readyCmd } = command
  // A template on top of another one inherits what runs in it; a service of ours also beside a start command of its own.
  const inherited = 'parent' in origin ? origin.parent.start : noStart
  const own = { startCmd: startCmd || null, readyCmd: readyCmd || null, service: inherited.service }
  const start = startCmd || readyCmd ? own : inherited
  return { origin, steps: parseSteps(command.steps), force: command.force, start }
}

function originOf(ports: Ports, { fromTemplate, fromImage, registry }: StartBuildCommand): Origin {
  if (fromTemplate && fromImage) throw new TorporError('invalid_argument', 'fromTemplate, fromImage: only one of them is possible')
  if (fromTemplate) return { parent: requireReady(ports, fromTemplate) }
  if (!fromImage) throw new TorporError('invalid_argument', 'fromTemplate or fromImage is needed: what is built must begin with something')
  const [, family] = familyImages.exec(fromImage) ?? []
  if (family === 'base' || family === 'code-interpreter') return { parent: requireReady(ports, builtIn[family]) }
  return { image: fromImage, credentials: registry, agent: requireReady(ports, builtIn.base).base.agent }
}

/** @throws TorporError `invalid_argument` naming the first step whose files were not uploaded. */
async function requireFiles({ uploads }: Ports, { steps }: BuildPlan): Promise<void> {
  for (const [index, step] of steps.entries()) {
    if (step.type === 'COPY' && !(await uploads.has(step.filesHash))) {
      throw new TorporError('invalid_argument', `steps.${index}: the files of this COPY were not uploaded`)
    }
  }
}

function supersede({ builds, log }: Ports, { id, templateId }: BuildRecord): void {
  const reason = new TorporError('conflict', 'A later build of the same template took the place of this one')
  builds.cancel(templateId, reason).catch((error: unknown) => log.error({ id, error }, 'a superseded build did not end'))
}
