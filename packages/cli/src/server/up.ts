import process from 'node:process'

import { type Config, loadConfig, loadSecrets } from '@torpor/server/config'
import { prepareMachine, reporterFor } from '@torpor/setup'

import { Interrupted } from '../interrupted.ts'
import { nameChecks } from '../machine/address-checks.ts'
import { examine } from '../machine/doctor.ts'
import { setupPlaces } from '../places.ts'
import { requireFreePorts } from './address.ts'
import { isHealthy } from './api-client.ts'
import { detach } from './detach.ts'
import { serve } from './serve.ts'
import { requireUnowned, servingServer } from './server-record.ts'

/** Prepares the machine and serves. With `detach` it returns when a server in the background serves. */
export async function up(options: { readonly detach: boolean }): Promise<void> {
  const config = loadConfig()
  if (await reportRunning(config)) return
  await requireUnowned(config.dataDirectory)
  await requireFreePorts(config)
  const reporter = reporterFor(process.stdout)
  const interruption = interruptions()
  try {
    const artifacts = await prepareMachine(await setupPlaces(config), reporter, interruption.signal)
    const secrets = loadSecrets(config.dataDirectory, config)
    await hintAtNames(config)
    const options_ = { config, secrets, artifacts, reporter, signal: interruption.signal }
    if (options.detach) printAddress(await detach(options_))
    else await serve(options_, printAddress)
  } finally {
    reporter.close()
    interruption.stop()
  }
}

async function reportRunning(config: Config): Promise<boolean> {
  const running = await servingServer(config.dataDirectory)
  if (running === undefined || !(await isHealthy(running.address))) return false
  process.stdout.write(`torpor is already running (pid ${running.pid})\n`)
  printAddress(running.address)
  return true
}

/** Serving goes on when nobody finds the sandboxes by name: clients with URLs do. */
async function hintAtNames(config: Config): Promise<void> {
  if (!config.tls.listen) return
  for (const { found, breaks, mend } of await examine(config, nameChecks)) {
    process.stdout.write(`note: ${found}\n  breaks: ${breaks}\n  mend: ${mend}\n`)
  }
}

function printAddress(address: string): void {
  process.stdout.write(`torpor serves on http://${address}\npoint the SDKs to it: eval "$(./torpor env)"\n`)
}

/** The user's wish to end: the first one ends in order, a second one at once. */
interface Interruption {
  readonly signal: AbortSignal
  stop(): void
}

function interruptions(): Interruption {
  const controller = new AbortController()
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(130)
    controller.abort(new Interrupted('interrupted'))
  }
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal)
  return { signal: controller.signal, stop: () => void process.off('SIGINT', onSignal).off('SIGTERM', onSignal) }
}
