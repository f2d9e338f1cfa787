import { TorporError, isKind, newExecutionId, newSandboxId } from '@torpor/contract'

import { ownerOf } from '../../domain/build-step.ts'
import { openEgress } from '../../domain/egress.ts'
import type { Base, ImageRef } from '../../domain/sandbox.ts'
import type { BuildContext } from '../../domain/template.ts'
import type { AgentCommand } from '../../ports/agent.ts'
import type { Execution } from '../../ports/engine.ts'
import { admitSandbox, lookBeforeAdmission } from '../admit-sandbox.ts'
import { holdImage } from '../hold-image.ts'
import type { Ports } from '../ports.ts'
import { surroundingsOf } from '../records.ts'
import { Undo } from '../undo.ts'
import { lineSplitter } from './build-log.ts'
import type { BuildJob } from './build-queue.ts'

/** Where login shells, which begin with the PATH of /etc/profile, find that of a template. */
const profile = '/etc/profile.d/00-template.sh'

/** $1: workdir, made for its user when it is not there, $2: user, $3: PATH or nothing, $4: profile. */
const prepareScript = String.raw`set -eu
[ -d "$1" ] || { mkdir -p -- "$1" && chown -- "$2" "$1"; }
if [ -z "$3" ]; then rm -f -- "$4"; exit; fi
mkdir -p -- "$(dirname -- "$4")"
printf "export PATH='%s'\n" "$(printf %s "$3" | sed "s/'/'\\\\''/g")" >"$4"`

/** Images may come without bash. $1: the command line. */
const shellScript = '[ ! -x /bin/bash ] || exec /bin/bash -l -c "$1"; exec /bin/sh -l -c "$1"'

/** The root has no shell that starts, as that of an image with one static program. */
class NoShellError extends TorporError {
  constructor(cause: TorporError) {
    super('invalid_argument', `the image needs /bin/sh for this: ${cause.message}`, { cause })
  }
}

/** Runs a command line in a login shell. */
export const loginShell = (line: string) => ({ program: '/bin/sh', args: ['-c', shellScript, 'sh', line] }) as const

const patienceMilliseconds = 10 * 60_000
const lookMilliseconds = 1000
/** The engine tells of an end when the process is no more, some moments after its connections broke. */
const endMilliseconds = 3000

/**
 * The sandbox in which a build works: as isolated and limited as any other, known to nobody else. Ends with its scope, and as soon
 * as the build is aborted.
 */
export class Bench implements AsyncDisposable {
  readonly execution: Execution
  readonly #ports: Ports
  readonly #job: BuildJob
  readonly #undo: Undo
  /** Aborted when the build is, and when the sandbox ends by itself: its connections would be silent for long. */
  readonly #signal: AbortSignal

  private constructor(ports: Ports, job: BuildJob, execution: Execution, undo: Undo) {
    const gone = new AbortController()
    const unsubscribe = ports.engine.onExit((exit) => {
      if (exit.execution === execution.execution) gone.abort(endedByItself(job))
    })
    undo.add('exit listener', unsubscribe)
    this.#signal = AbortSignal.any([gone.signal, job.abort.signal])
    this.#ports = ports
    this.#job = job
    this.execution = execution
    this.#undo = undo
  }

  /** Boots a base with the files of a layer, or bare, under the context of its processes. */
  static async boot(ports: Ports, job: BuildJob, base: Base, files: ImageRef | undefined, context: BuildContext): Promise<Bench> {
    const { engine, agent, settings } = ports
    const { signal } = job.abort
    await using undo = new Undo(ports.log)
    const free = await occupy(ports, job, await lookBeforeAdmission(ports, job.resources, files))
    undo.add('place', free)
    const execution = newExecutionId()
    const sandboxId = newSandboxId()
    const spec = { execution, hostname: sandboxId, base, resources: job.resources, egress: openEgress }
    const held = files && holdImage(ports, files)
    if (held) undo.add('held layer', async () => held[Symbol.asyncDispose]())
    const booted = await engine.boot(spec, files)
    undo.add('bench', () => engine.destroy(execution))
    const end = (): void => void engine.destroy(execution).catch(() => undefined)
    signal.addEventListener('abort', end)
    undo.add('abort', () => signal.removeEventListener('abort', end))
    signal.throwIfAborted()
    await unlessAborted(agent.healthy(booted.address, settings.agentTimeoutMilliseconds), signal)
    await agent.init(booted.address, {
      sandboxId,
      templateId: job.templateId,
      hostname: sandboxId,
      accessToken: null,
      env: context.env,
      ...surroundingsOf(settings),
      defaults: { user: context.user, workdir: context.workdir },
    })
    await ports.reached('build booted')
    const bench = new Bench(ports, job, booted, undo.take())
    return bench
  }

  /** Runs a process and writes its output into the build's log; gives its exit status. `letGo` leaves it to itself. */
  async run(command: AgentCommand, letGo?: AbortSignal): Promise<number> {
    const { agent } = this.#ports
    const signal = letGo ? AbortSignal.any([letGo, this.#signal]) : this.#signal
    const splitters = { stdout: this.#splitter(), stderr: this.#splitter() }
    try {
      return await agent.run(this.execution.address, command, {
        onOutput: (stream, text) => splitters[stream].push(text),
        signal,
      })
    } catch (error) {
      throw await this.#explained(error)
    } finally {
      splitters.stdout.end()
      splitters.stderr.end()
    }
  }

  /** Runs a small script of ours as root, with arguments that need no quoting. @throws TorporError with its last line when it fails. */
  async script(text: string, ...args: readonly string[]): Promise<void> {
    const script = { program: '/bin/sh', args: ['-c', text, 'sh', ...args], user: 'root', workdir: '/', env: {} }
    const status = await this.run(script).catch((error: unknown) => {
      throw isKind(error, 'invalid_argument') ? new NoShellError(error) : error
    })
    if (status === 0) return
    throw new TorporError('invalid_argument', this.#job.log.lastWords || `a command of the build ended with exit code ${status}`)
  }

  /** Makes the root fit for processes under a context: the workdir is there, and login shells, if there are any, keep its PATH. */
  async prepare({ user, workdir, env }: BuildContext): Promise<void> {
    await this.script(prepareScript, workdir, ownerOf(user), env['PATH'] ?? '', profile).catch(async (error: unknown) => {
      if (!(error instanceof NoShellError)) throw error
      await this.#ports.agent.makeDirectory(this.execution.address, workdir, user)
    })
  }

  /** Writes an uploaded archive into the sandbox. */
  async receive(path: string, hash: string): Promise<void> {
    const upload = await this.#ports.uploads.open(hash)
    await this.#ports.agent.writeFile(this.execution.address, { path, user: 'root', ...upload }, this.#signal)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#undo[Symbol.asyncDispose]()
  }

  #splitter() {
    return lineSplitter((line) => this.#job.log.output(line))
  }

  /** A connection that breaks off says little: what becomes of the sandbox says more. */
  async #explained(error: unknown): Promise<unknown> {
    if (this.#job.abort.signal.aborted || !isKind(error, 'unavailable')) return error
    const { engine, clock } = this.#ports
    const observed = (await engine.list()).find(({ execution }) => execution === this.execution.execution)
    if (observed?.status !== 'running') return endedByItself(this.#job)
    await abortedWithin(this.#signal, clock, endMilliseconds)
    return this.#signal.aborted ? this.#signal.reason : error
  }
}

const endedByItself = ({ resources }: BuildJob): TorporError =>
  new TorporError('exhausted', `the sandbox of the build ended by itself; it may have needed more than its ${resources.memoryMiB} MiB`)

/** Resolves when the signal is aborted, or after so long. */
async function abortedWithin(signal: AbortSignal, clock: Ports['clock'], milliseconds: number): Promise<void> {
  if (signal.aborted) return
  const done = Promise.withResolvers<void>()
  const cancel = clock.after(milliseconds, done.resolve)
  signal.addEventListener('abort', () => done.resolve(), { once: true })
  await done.promise
  cancel()
}

/** Does not wait for the end of what an abort makes needless. */
async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  const aborted = Promise.withResolvers<never>()
  const abort = (): void => aborted.reject(signal.reason)
  signal.addEventListener('abort', abort)
  try {
    await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', abort)
    // Whoever lost the race is heard no more.
    work.catch(() => undefined)
    aborted.promise.catch(() => undefined)
  }
}

/** Waits for room beside the sandboxes that run, and takes it. @throws TorporError `exhausted` when there is none for too long. */
async function occupy(ports: Ports, { resources, log, abort: { signal } }: BuildJob, heldBytes: number): Promise<() => void> {
  const until = ports.clock.now() + patienceMilliseconds
  for (let told = false; ; told = true) {
    signal.throwIfAborted()
    try {
      admitSandbox(ports, resources, heldBytes)
      return ports.builds.occupy({ resources, heldBytes })
    } catch (error) {
      if (!isKind(error, 'exhausted') || ports.clock.now() >= until) throw error
      if (!told) log.write('info', `Waiting for room: ${error.message}`)
      await new Promise<void>((resolve) => void ports.clock.after(lookMilliseconds, resolve))
    }
  }
}
