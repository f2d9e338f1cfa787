import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import type { Step } from '@torpor/core'
import { clientEnvironment, clientTrust, loadConfig, loadSecrets, publicDomain } from '@torpor/server'
import { forgetNeeds } from '@torpor/setup'
import { z } from 'zod'

import { removeData } from './data-directory.ts'
import { loseMachine } from './lose-machine.ts'
import { ownSettings } from './own-settings.ts'

/** A server in a process of its own, on the real engine, that dies by SIGKILL where the test says. */
export interface MortalServer {
  readonly dataDirectory: string
  /** What `torpor env` prints; the same for every life. */
  readonly env: Readonly<Record<string, string>>
  /** The process of the life it has now. */
  readonly pid: number | undefined
  /** It dies when it is the next time at this step. Resolves when it knows. */
  dieAt(step: Step): Promise<void>
  /** Resolves when it is dead. */
  readonly death: Promise<void>
  /** The next server, on what is left. */
  restart(): Promise<void>
  /** The machine loses its power: everything is gone but the disk. */
  powerCut(): Promise<void>
  /** Ends the server in order; sandboxes go on. */
  close(): Promise<void>
  /** Removes what it left on disk. */
  remove(): Promise<void>
}

const listening = z.object({ address: z.string() })

/** Boots one; `settings` are TORPOR_* variables. */
export async function bootMortal(settings: Readonly<Record<string, string>> = {}): Promise<MortalServer> {
  const dataDirectory = await mkdtemp(path.join(tmpdir(), 'torpor-mortal-'))
  const own = { ...(await ownSettings(dataDirectory)), TORPOR_LOG_LEVEL: 'warn', ...settings }
  const life = new Life(dataDirectory, own)
  await life.restart()
  return life
}

class Life implements MortalServer {
  readonly dataDirectory: string
  readonly #settings: Readonly<Record<string, string>>
  #child: ChildProcess | undefined
  death: Promise<void> = Promise.resolve()
  env: Readonly<Record<string, string>> = {}

  constructor(dataDirectory: string, settings: Readonly<Record<string, string>>) {
    this.dataDirectory = dataDirectory
    this.#settings = settings
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  async restart(): Promise<void> {
    await this.death
    const environment = { ...process.env, ...this.#settings }
    const log = openSync(path.join(this.dataDirectory, 'server.log'), 'a')
    const child = fork(path.join(import.meta.dirname, 'mortal-server.ts'), [], { env: environment, stdio: ['ignore', log, log, 'ipc'] })
    this.#child = child
    const died = once(child, 'exit')
    this.death = died.then(() => undefined)
    const [message] = await Promise.race([once(child, 'message'), died.then(() => Promise.reject(new Error('the server did not start')))])
    const { address } = listening.parse(message)
    const config = loadConfig({ ...this.#settings })
    const { apiKey } = loadSecrets(this.dataDirectory, config)
    this.env = clientEnvironment({
      url: `http://${address}`,
      apiKey: apiKey.reveal(),
      domain: publicDomain(config, config.tls.listen?.port),
      trust: clientTrust(config),
    })
  }

  async dieAt(step: Step): Promise<void> {
    const child = this.#child
    if (!child) return
    const agreed = once(child, 'message')
    child.send({ dieAt: step })
    await agreed
  }

  async powerCut(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.death
    await loseMachine(this.dataDirectory)
  }

  async close(): Promise<void> {
    if (this.#child?.connected) this.#child.disconnect()
    await this.death
  }

  async remove(): Promise<void> {
    await removeData(this.dataDirectory)
    await forgetNeeds(loadConfig({ ...this.#settings }).artifactDirectory, this.dataDirectory)
  }
}
