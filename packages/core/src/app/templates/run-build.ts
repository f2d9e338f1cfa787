import { TorporError, isKind, toTorporError } from '@torpor/contract'

import type { BuildStep, RunStep, Work } from '../../domain/build-step.ts'
import type { BuildContext, Layer, StartCommand } from '../../domain/template.ts'
import { holdImage } from '../hold-image.ts'
import type { Ports } from '../ports.ts'
import { Bench, loginShell } from './bench.ts'
import type { BuildJob } from './build-queue.ts'
import { copyFiles } from './copy-files.ts'
import { finalizeBuild } from './finalize-build.ts'
import { finishAsBefore } from './finish-as-before.ts'
import { type Foundation, type Origin, lay } from './foundation.ts'
import { findLayer, keepLayer, layerKey, rootKey } from './layers.ts'

/** What a build makes of what. */
export interface BuildPlan {
  readonly origin: Origin
  readonly steps: readonly BuildStep[]
  /** Runs every step, whatever is known of it. */
  readonly force: boolean
  readonly start: StartCommand
}

/** A step that works on the files, with what holds for it. */
interface PlannedWork {
  readonly number: string
  readonly step: BuildStep & Work
  readonly context: BuildContext
  readonly key: string
}

/** A layer costs as long as a short step takes: those are kept together with the next longer one. */
const shortMilliseconds = 1000

/** Does a build from its first step to its last word in the records. Never throws: what goes wrong is on record or in the log. */
export async function runBuild(ports: Ports, job: BuildJob, plan: BuildPlan): Promise<void> {
  const { log } = ports
  const { buildId, templateId } = job
  try {
    job.abort.signal.throwIfAborted()
    await build(ports, job, plan)
    log.info({ templateId, buildId }, 'a template build is ready')
  } catch (error) {
    const told = toTorporError(job.abort.signal.aborted ? job.abort.signal.reason : error)
    const context = { templateId, buildId, step: job.log.step, error: told.message }
    if (!isKind(told, 'internal', 'unavailable', 'damaged', 'no_space') || job.abort.signal.aborted)
      log.info(context, 'a template build failed')
    else log.error({ ...context, error }, 'a template build failed on our side')
    fail(ports, job, told.message)
  }
  // The build that it takes the place of may have nobody left who needs it.
  ports.nudge()
}

/** Where even that is not possible, the next server reports it. */
function fail({ store, clock, log }: Ports, job: BuildJob, message: string): void {
  try {
    job.log.write('error', message)
    job.log.flush()
    const reason = { message, step: job.log.step }
    store.templates.updateBuild(job.buildId, 'building', { status: 'error', finishedAt: clock.now(), reason })
  } catch (error) {
    log.error({ buildId: job.buildId, error }, 'the end of a template build could not be recorded')
  }
}

async function build(ports: Ports, job: BuildJob, plan: BuildPlan): Promise<void> {
  const parent = await lay(ports, job, plan.origin)
  const base = parent.layer === null ? undefined : ports.store.templates.layer(parent.layer)
  const { works, context } = await planned(ports, parent, plan.steps)
  const cached = await cachedUntil(ports, plan, works)
  tell(job, parent, plan.steps, works.slice(0, cached.count))
  await using made = await work(ports, job, {
    parent,
    works: works.slice(cached.count),
    from: cached.layer ?? base,
    context: parent.context,
  })
  const finale = { parent, layer: made.layer, context, start: plan.start }
  const isUnchanged = cached.count === works.length && !plan.force && (await finishAsBefore(ports, job, finale))
  if (!isUnchanged) await finalizeBuild(ports, job, finale)
}

/** Every step that works on the files with its context and key, and the context after the last. */
async function planned({ engine }: Ports, parent: Foundation, steps: readonly BuildStep[]) {
  const works: PlannedWork[] = []
  let context = parent.context
  let key = await rootKey(parent, engine.version)
  for (const [index, step] of steps.entries()) {
    if (step.type === 'CONTEXT') {
      context = step.apply(context)
    } else {
      key = await layerKey(key, step, context)
      works.push({ number: String(index + 1), step, context, key })
    }
  }
  return { works, context }
}

/** The deepest layer that is known, and how many steps it makes needless. Layers of forced steps are forgotten. */
async function cachedUntil(ports: Ports, plan: BuildPlan, works: readonly PlannedWork[]) {
  const firstForced = plan.force ? 0 : plan.steps.findIndex(({ force }) => force)
  const usable = firstForced === -1 ? works.length : works.filter(({ number }) => Number(number) <= firstForced).length
  if (firstForced !== -1) ports.store.templates.forgetKeys(works.slice(usable).map(({ key }) => key))
  for (let count = usable; count > 0; count -= 1) {
    const layer = await findLayer(ports, works[count - 1]?.key ?? '')
    if (layer) return { layer, count }
  }
  return { layer: undefined, count: 0 }
}

function tell({ log }: BuildJob, { title }: Foundation, steps: readonly BuildStep[], cached: readonly PlannedWork[]): void {
  log.write('info', `FROM ${title}`)
  const last = Number(cached.at(-1)?.number ?? 0)
  for (const [index, step] of steps.slice(0, last).entries()) {
    log.begin(String(index + 1))
    log.write('info', step.type === 'CONTEXT' ? step.title : `CACHED ${step.title}`)
  }
}

interface WorkOrder {
  readonly parent: Foundation
  readonly works: readonly PlannedWork[]
  readonly from: Layer | undefined
  readonly context: BuildContext
}

/** The last layer, held until the scope ends. */
interface Made extends AsyncDisposable {
  readonly layer: Layer | undefined
}

async function work(ports: Ports, job: BuildJob, { parent, works, from, context }: WorkOrder): Promise<Made> {
  let layer = from
  let held = layer && holdImage(ports, layer.image)
  try {
    const [first] = works
    if (!first) return { layer, [Symbol.asyncDispose]: async () => held?.[Symbol.asyncDispose]() }
    job.log.begin(first.number)
    await using bench = await Bench.boot(ports, job, parent.base, layer?.image, context)
    let since = ports.clock.now()
    for (const [index, entry] of works.entries()) {
      await perform(ports, job, bench, entry)
      const isLast = index === works.length - 1
      if (!isLast && ports.clock.now() - since < shortMilliseconds) continue
      layer = await freeze(ports, bench, entry.key, isLast)
      await held?.[Symbol.asyncDispose]()
      held = holdImage(ports, layer.image)
      since = ports.clock.now()
    }
    return { layer, [Symbol.asyncDispose]: async () => held?.[Symbol.asyncDispose]() }
  } catch (error) {
    await held?.[Symbol.asyncDispose]()
    throw error
  }
}

async function freeze(ports: Ports, { execution }: Bench, key: string, isLast: boolean): Promise<Layer> {
  await ports.engine.freeze(execution.execution)
  const layer = await keepLayer(ports, execution, key)
  if (!isLast) await ports.engine.thaw(execution.execution)
  return layer
}

async function perform(ports: Ports, job: BuildJob, bench: Bench, { number, step, context }: PlannedWork): Promise<void> {
  job.log.begin(number)
  job.log.write('info', step.title)
  // Should the server die in it, the next one tells which step it was.
  job.log.flush()
  if (step.type === 'COPY') await copyFiles(bench, step, context)
  else await runCommand(ports, job, bench, step, context)
  job.abort.signal.throwIfAborted()
  await ports.reached('build step ended')
}

async function runCommand(
  { settings }: Ports,
  job: BuildJob,
  bench: Bench,
  step: BuildStep & RunStep,
  context: BuildContext,
): Promise<void> {
  const user = step.user ?? context.user
  await bench.prepare(context)
  const command = { ...loginShell(step.command), user, workdir: context.workdir, env: context.env }
  const limit = { timeoutMilliseconds: settings.buildStepSeconds * 1000 }
  const status = await bench.run({ ...command, ...limit }).catch((error: unknown) => {
    if (!isKind(error, 'timed_out')) throw error
    throw new TorporError('timed_out', `${step.title}: did not end within ${settings.buildStepSeconds} s and was ended`)
  })
  if (status === 0) return
  const { lastWords } = job.log
  const end = status === -1 ? 'was ended by a signal' : `failed with exit code ${status}`
  throw new TorporError('invalid_argument', `${step.title}: ${end}${lastWords === '' ? '' : `: ${lastWords}`}`)
}
