import type { Reporter } from './reporter.ts'
import { CommandFailed } from './run-command.ts'
import { SetupProblem } from './setup-problem.ts'

/** What a step is given while it runs. */
export interface StepContext {
  /** Aborted when the user gives up or another step failed: end what was started, leave nothing half done. */
  readonly signal: AbortSignal
  /** Where the step's commands write. */
  readonly logFile: string
  /** Tells the user a fact. */
  note(text: string): void
}

/** One idempotent step of the set-up. */
export interface Step {
  readonly name: string
  /** Names of the steps that have to be done before; steps that do not wait for each other run at the same time. */
  readonly after?: readonly string[]
  /** Whether its result stands already. Quick: asked at every start. */
  done(): boolean | Promise<boolean>
  run(context: StepContext): Promise<void>
}

export interface RunStepsOptions {
  readonly reporter: Reporter
  readonly signal: AbortSignal
  logFileOf(step: string): string
}

/** The names of the steps that are not done. */
export async function pendingSteps(steps: readonly Step[]): Promise<Step[]> {
  const done = await Promise.all(steps.map(async (step) => step.done()))
  return steps.filter((_, index) => done[index] !== true)
}

/**
 * Runs what is not done, each step as soon as those before it are done. When a step fails, the others are aborted and awaited,
 * then its error is thrown.
 */
export async function runSteps(steps: readonly Step[], options: RunStepsOptions): Promise<void> {
  const stop = new AbortController()
  const signal = AbortSignal.any([options.signal, stop.signal])
  const running = new Map<string, Promise<void>>()
  for (const step of steps) {
    const before = (step.after ?? []).map(
      (name) => running.get(name) ?? Promise.reject(new Error(`no step "${name}" before "${step.name}"`)),
    )
    const run = Promise.all(before).then(() => runStep(step, { ...options, signal }))
    running.set(
      step.name,
      run.catch((error: unknown) => {
        stop.abort(error)
        throw error
      }),
    )
  }
  const outcomes = await Promise.allSettled(running.values())
  options.signal.throwIfAborted()
  // The first failure is the cause; the steps that it stopped fail after it, and by it.
  if (outcomes.some((outcome) => outcome.status === 'rejected')) throw stop.signal.reason
}

async function runStep(step: Step, options: RunStepsOptions): Promise<void> {
  const { reporter, signal } = options
  signal.throwIfAborted()
  if (await step.done()) return
  const since = performance.now()
  const logFile = options.logFileOf(step.name)
  reporter.started(step.name)
  try {
    await step.run({ signal, logFile, note: (text) => reporter.noted(text) })
    reporter.finished(step.name, performance.now() - since)
  } catch (error) {
    reporter.failed(step.name, performance.now() - since)
    throw error instanceof CommandFailed ? problemOf(step, error, logFile) : error
  }
}

function problemOf(step: Step, error: CommandFailed, logFile: string): SetupProblem {
  const mend = 'see the log, mend what it names and run `./torpor up` again: what is done stays done'
  return new SetupProblem(`the step "${step.name}" failed: ${error.message}`, { mend, logFile, tail: error.tail, cause: error })
}
