import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'

import { type Config, loadConfig, readApiKey } from '@torpor/server/config'
import { SetupProblem } from '@torpor/setup'

import { volumeOf } from '../machine/volume.ts'
import { type ProcessIdentity, isAlive } from '../processes.ts'
import { killSandbox, listSandboxes } from './api-client.ts'
import { owningProcess, servingServer } from './server-record.ts'

const graceMilliseconds = 10_000

/** Stops the server; one that does not run is fine. With `all`, running sandboxes are killed first. */
export async function down(options: { readonly all: boolean }): Promise<void> {
  const config = loadConfig()
  const serving = await servingServer(config.dataDirectory)
  const owner = serving ?? (await owningProcess(config.dataDirectory))
  if (options.all) {
    if (serving === undefined)
      throw new SetupProblem('no server runs that could kill sandboxes', { mend: './torpor up --detach && ./torpor down --all' })
    const key = readApiKey(config.dataDirectory, config)
    if (key === undefined) throw new SetupProblem('there is no API key', { mend: './torpor up' })
    const running = (await listSandboxes(serving.address, key)).filter(({ state }) => state === 'running')
    await Promise.all(running.map(({ sandboxID }) => killSandbox(serving.address, key, sandboxID)))
    process.stdout.write(`killed ${running.length} running ${running.length === 1 ? 'sandbox' : 'sandboxes'}\n`)
  }
  if (owner === undefined) {
    process.stdout.write('torpor is not running\n')
    return
  }
  await end(owner)
  process.stdout.write('torpor is stopped\n')
  await tellOfVolume(config)
}

/** A server unmounts its volume when it ends, unless something lives on in it. */
async function tellOfVolume(config: Config): Promise<void> {
  const volume = await volumeOf(config)
  if (volume?.kind !== 'loop' || volume.state !== 'mounted') return
  process.stdout.write('the volume stays mounted: sandboxes go on in it, frozen ones among them\n')
}

async function end(server: ProcessIdentity): Promise<void> {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    process.kill(server.pid, signal)
    for (let waited = 0; waited < graceMilliseconds; waited += 20) {
      if (!(await isAlive(server))) return
      await delay(20)
    }
  }
  throw new SetupProblem(`the server (pid ${server.pid}) does not end`, { mend: `ps -o pid,stat,wchan,cmd -p ${server.pid}` })
}
