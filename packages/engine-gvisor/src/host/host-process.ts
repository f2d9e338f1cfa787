import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { TorporError, isKind } from '@torpor/contract'

import { deadlineOf } from './deadline.ts'
import { HostClient } from './host-client.ts'
import { endHosts } from './hung-host.ts'
import type { HostMethod, HostMethods } from './protocol.ts'

export interface HostOptions {
  /** Directory of the engine build: `torpor-engine` and `gvisor-bin/`. */
  readonly engineDirectory: string
  readonly version: string
  /** Directory (on a volatile file system, short path) for the socket and the runtime's state files. */
  readonly runDirectory: string
  /** File that takes what the host logs. */
  readonly logFile: string
}

const startMilliseconds = 10_000
const endMilliseconds = 5000

/**
 * One torpor-engine process, started when it is first needed and again when it is found dead. It carries no state: sandboxes
 * outlive it, and a host that an earlier server left running is used as it is.
 */
export class HostProcess implements AsyncDisposable {
  readonly #options: HostOptions
  readonly client: HostClient
  #starting: Promise<void> | undefined
  #up = false
  /** The same for every process of one build. */
  #methods: readonly string[] | undefined
  #closed = false

  constructor(options: HostOptions) {
    this.#options = options
    this.client = new HostClient(this.#socket)
  }

  get #socket(): string {
    return path.join(this.#options.runDirectory, 'engine.sock')
  }

  /**
   * Calls a method; a host that has died or hangs is started anew first. A call that dies with its host is not repeated: it may have had
   * its effect.
   * @param bytes what the method has to read or write, as far as that is known: its deadline grows with it.
   */
  async call<M extends HostMethod>(
    method: M,
    body: HostMethods[M]['body'],
    bytes = 0,
    signal?: AbortSignal,
  ): Promise<HostMethods[M]['answer']> {
    await this.ensure()
    try {
      return await this.client.call(method, body, deadlineOf(method, bytes), signal)
    } catch (error) {
      if (isKind(error, 'unavailable') && signal?.aborted !== true) await this.#replace()
      throw error
    }
  }

  /** A hung host is ended at once, so that other calls which wait for it fail now and not each at its own deadline. */
  async #replace(): Promise<void> {
    this.#up = false
    await this.ensure().catch(() => undefined)
  }

  /** Whether it knows a method; hosts of earlier builds do not know all. */
  async knows(method: HostMethod): Promise<boolean> {
    await this.ensure()
    this.#methods ??= (await this.client.call('version', {}, deadlineOf('version', 0))).methods
    return this.#methods.includes(method)
  }

  /** Resolves when a host answers. @throws TorporError `unavailable` with the last of its log. */
  async ensure(): Promise<void> {
    if (this.#up) return
    if (this.#closed) throw new TorporError('unavailable', 'The sandbox engine is closed')
    this.#starting ??= this.#start().finally(() => {
      this.#starting = undefined
    })
    await this.#starting
  }

  /** To be told when its event stream broke: the next call looks whether it lives. */
  suspect(): void {
    this.#up = false
  }

  /** Ends the host; sandboxes go on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true
    await this.#starting?.catch(() => undefined)
    const pid = await this.#answeringPid()
    await this.client[Symbol.asyncDispose]()
    if (pid === undefined) return endHosts(this.#socket)
    process.kill(pid, 'SIGTERM')
    const deadline = Date.now() + endMilliseconds
    while (isAlive(pid) && Date.now() < deadline) await delay(5)
  }

  async #start(): Promise<void> {
    if ((await this.#answeringPid()) === undefined) {
      await endHosts(this.#socket)
      const exited = this.#spawn()
      await Promise.race([this.#answers(), exited])
    }
    this.#up = true
  }

  async #answers(): Promise<void> {
    const deadline = Date.now() + startMilliseconds
    while ((await this.#answeringPid()) === undefined) {
      if (Date.now() > deadline) throw await this.#unavailable('it does not answer')
      await delay(5)
    }
  }

  async #answeringPid(): Promise<number | undefined> {
    try {
      return (await this.client.call('version', {}, deadlineOf('version', 0))).pid
    } catch (error) {
      if (isKind(error, 'unavailable')) return undefined
      throw error
    }
  }

  /** Files only, no pipes: the host hands its descriptors on to sandboxes. Its own session, so that signals to the server's group spare it. */
  #spawn(): Promise<never> {
    const { engineDirectory, runDirectory, version, logFile } = this.#options
    mkdirSync(runDirectory, { recursive: true, mode: 0o700 })
    const log = openSync(logFile, 'a', 0o600)
    const args = ['serve', '--socket', this.#socket, '--root', path.join(runDirectory, 'state'), '--version-id', version]
    const child = spawn(path.join(engineDirectory, 'torpor-engine'), args, { detached: true, stdio: ['ignore', log, log], cwd: '/' })
    closeSync(log)
    child.unref()
    return new Promise((_resolve, reject) => {
      const fail = (why: string): void => {
        this.#up = false
        this.#unavailable(why).then(reject, reject)
      }
      child.once('error', (error) => fail(error.message))
      child.once('exit', (code, signal) => fail(`it ended with ${signal ?? code}`))
    })
  }

  async #unavailable(why: string): Promise<TorporError> {
    const log = await readFile(this.#options.logFile, 'utf8').catch(() => '')
    return new TorporError('unavailable', 'The sandbox engine could not be started', { context: { why, log: log.slice(-2000) } })
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
