import { TorporError, isKind } from '@torpor/contract'

import type { BuildContext, Layer, StartCommand } from '../../domain/template.ts'
import { imageRoom } from '../image-room.ts'
import type { Ports } from '../ports.ts'
import { Undo } from '../undo.ts'
import { Bench, loginShell } from './bench.ts'
import type { BuildJob } from './build-queue.ts'
import type { Foundation } from './foundation.ts'

/** The last part of a build: everything but the files is known. */
export interface Finale {
  readonly parent: Foundation
  readonly layer: Layer | undefined
  readonly context: BuildContext
  readonly start: StartCommand
}

/** What E2B and Novita document for a start command without a ready command. */
const defaultReadyCmd = 'sleep 20'
const retryMilliseconds = 2000
const readyMilliseconds = 10 * 60_000

/**
 * Boots the finished files with nothing else in memory, starts what is to run in every sandbox, waits until it is ready, and keeps
 * the frozen sandbox as the build that creates restore from.
 */
export async function finalizeBuild(ports: Ports, job: BuildJob, finale: Finale): Promise<void> {
  const { parent, layer, context, start } = finale
  const { engine, images, clock, store, log } = ports
  job.log.begin('finalize')
  await using undo = new Undo(log)
  await using bench = await Bench.boot(ports, job, parent.base, layer?.image, context)
  await bench.prepare(context)
  const { execution, engineVersion, address } = bench.execution
  if (start.service) {
    job.log.write('info', `SERVICE ${start.service.command}`)
    await ports.agent.startService(address, start.service)
  }
  await startAndAwait(ports, job, bench, context, start)
  await engine.released(execution)
  job.abort.signal.throwIfAborted()
  await ports.reached('build started')
  await engine.freeze(execution)
  const stats = await engine.stats(execution)
  const draft = { owner: job.buildId, generation: 1, kind: 'memory', engineVersion, diskBytes: stats.diskBytes } as const
  const staged = await images.stage(draft, imageRoom(stats, 'memory'))
  undo.add('staged image', () => staged.discard())
  await engine.capture(execution, staged.directory)
  await ports.reached('build captured')
  const image = await staged.commit()
  undo.add('image', () => images.remove(image))
  await ports.reached('build synced')
  job.abort.signal.throwIfAborted()
  job.log.write('info', 'The template is ready')
  job.log.flush()
  const { buildId, templateId, resources } = job
  const ready = { templateId, buildId, names: [], image, base: parent.base, resources, createdAt: clock.now(), context, start }
  if (!store.templates.finish({ ...ready, layer: layer?.id ?? null }, clock.now())) {
    throw new TorporError('conflict', 'the build was ended meanwhile')
  }
  undo.release()
  await ports.reached('build finished')
}

async function startAndAwait(
  { clock }: Ports,
  { log, abort }: BuildJob,
  bench: Bench,
  context: BuildContext,
  { startCmd, readyCmd }: StartCommand,
): Promise<void> {
  const { user, workdir, env } = context
  const command = (text: string) => ({ ...loginShell(text), user, workdir, env })
  // Leaves the process alone: its connection must not be part of the image.
  const letGo = new AbortController()
  const ended = { early: undefined as number | undefined, error: undefined as unknown }
  const running =
    startCmd === null
      ? Promise.resolve()
      : bench.run(command(startCmd), letGo.signal).then(
          (status) => void (ended.early = status),
          (error: unknown) => void (ended.error = error),
        )
  try {
    if (startCmd !== null) log.write('info', `START ${startCmd}`)
    const test = readyCmd ?? (startCmd === null ? null : defaultReadyCmd)
    if (test === null) return
    log.write('info', `READY ${test}`)
    const until = clock.now() + readyMilliseconds
    for (let status: number | undefined; status !== 0;) {
      requireStarted(startCmd ?? '', ended)
      if (clock.now() >= until) throw notReady(test, status)
      if (status !== undefined) await new Promise<void>((resolve) => void clock.after(retryMilliseconds, resolve))
      abort.signal.throwIfAborted()
      status = await bench.run({ ...command(test), timeoutMilliseconds: Math.max(until - clock.now(), 1000) }).catch(endedInTime)
    }
    requireStarted(startCmd ?? '', ended)
  } finally {
    letGo.abort(new TorporError('internal', 'the start command goes on without its build'))
    await running
  }
}

/** A start command may end well after it has put its processes into the background. */
function requireStarted(startCmd: string, { early, error }: { readonly early: number | undefined; readonly error: unknown }): void {
  if (error !== undefined) throw error
  if (early === undefined || early === 0) return
  throw new TorporError('invalid_argument', `the start command "${startCmd}" ended with exit code ${early} before the sandbox was ready`)
}

/** One that hangs counts as one that failed. */
function endedInTime(error: unknown): number {
  if (isKind(error, 'timed_out')) return -1
  throw error
}

const notReady = (test: string, status: number | undefined): TorporError =>
  new TorporError('timed_out', `the ready command "${test}" did not succeed within 10 minutes; its last exit code was ${status ?? -1}`)
