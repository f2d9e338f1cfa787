import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'

import { renewUse } from './artifact-use.ts'
import { sweepUnfinished } from './artifact.ts'
import { type Artifacts, directoriesOf } from './artifacts.ts'
import { artifactKinds, collectArtifacts } from './collect-artifacts.ts'
import type { Reporter } from './reporter.ts'
import { holdLock } from './run-command.ts'
import { type Step, pendingSteps, runSteps } from './run-steps.ts'
import { type SetupPlaces, planSetup } from './setup-steps.ts'

const sweepMilliseconds = 120_000

/**
 * Makes the machine ready to serve: runs every step that is not done, alone on this machine, and tells the reporter. Returns
 * at once when everything stands.
 * @throws SetupProblem with what went wrong, the end of its log and what mends it; the signal's reason when it is aborted.
 */
export async function prepareMachine(places: SetupPlaces, reporter: Reporter, signal: AbortSignal): Promise<Artifacts> {
  const { artifacts, steps } = planSetup(places)
  const pending = await pendingSteps(steps)
  const refusing = pending.find((step) => step.name === 'machine')
  const logs = path.join(places.artifactDirectory, 'logs')
  const logFileOf = (step: string): string => path.join(logs, `${step.replaceAll(' ', '-')}.log`)
  // Nothing is written on a machine that cannot serve.
  if (refusing) await refusing.run({ signal, logFile: '/dev/null', note: () => undefined })
  await Promise.all(directoriesOf(artifacts, places.artifactDirectory).map((directory) => renewUse(directory)))
  if (pending.length === 0) return artifacts

  await mkdir(logs, { recursive: true, mode: 0o755 })
  const release = await holdLock(path.join(places.artifactDirectory, 'setup.lock'), signal, () => {
    reporter.noted('another set-up is running on this machine: waiting for it')
  })
  try {
    await clearLeftovers(places.artifactDirectory, pending, logFileOf, signal)
    await runSteps(steps, { reporter, signal, logFileOf })
    await collectOld(places.artifactDirectory, artifacts, { reporter, signal, logFile: logFileOf('sweep') })
  } finally {
    release()
  }
  return artifacts
}

interface Collecting {
  readonly reporter: Reporter
  readonly signal: AbortSignal
  readonly logFile: string
}

/** Only a matter of disk space: the machine is ready without it. */
async function collectOld(artifactDirectory: string, artifacts: Artifacts, { reporter, signal, logFile }: Collecting): Promise<void> {
  const tell = (text: string): void => reporter.noted(text)
  const options = { signal, logFile, timeoutMilliseconds: sweepMilliseconds, tell, now: Date.now() }
  try {
    await collectArtifacts(artifactDirectory, { ...options, current: directoriesOf(artifacts, artifactDirectory) })
  } catch (error) {
    signal.throwIfAborted()
    tell(`artifacts of earlier versions stay: ${error instanceof Error ? error.message : String(error)}`)
  }
}

async function clearLeftovers(
  artifactDirectory: string,
  pending: readonly Step[],
  logFileOf: (step: string) => string,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(pending.map((step) => rm(logFileOf(step.name), { force: true })))
  const options = { logFile: logFileOf('sweep'), signal, timeoutMilliseconds: sweepMilliseconds }
  for (const kind of artifactKinds) await sweepUnfinished(path.join(artifactDirectory, kind), options)
}
