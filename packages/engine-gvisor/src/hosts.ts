import { access } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { TorporError } from '@torpor/contract'
import type { Log } from '@torpor/core'

import { HostProcess } from './host/host-process.ts'
import type { HostEvent } from './host/protocol.ts'

export interface HostsOptions {
  /** Holds one directory per engine build. */
  readonly enginesDirectory: string
  readonly runDirectory: string
  readonly logDirectory: string
  readonly log: Log
}

/**
 * The host processes, one per engine build that is needed: an image can be restored only by the build that wrote it, so after
 * an upgrade the older host serves what sleeps from before.
 */
export class Hosts {
  readonly #options: HostsOptions
  readonly #hosts = new Map<string, HostProcess>()
  readonly #closing = new AbortController()
  readonly #onEvent: (version: string, event: HostEvent) => void | Promise<void>

  constructor(options: HostsOptions, onEvent: (version: string, event: HostEvent) => void | Promise<void>) {
    this.#options = options
    this.#onEvent = onEvent
  }

  /** @throws TorporError `unavailable` when that build is not on this machine any more. */
  async of(version: string): Promise<HostProcess> {
    const known = this.#hosts.get(version)
    if (known) return known
    const engineDirectory = path.join(this.#options.enginesDirectory, version)
    await access(path.join(engineDirectory, 'torpor-engine')).catch((cause: unknown) => {
      throw new TorporError('unavailable', 'The engine build that saved this sandbox is not installed any more', {
        context: { version },
        cause,
      })
    })
    return this.#hosts.get(version) ?? this.#add(version, engineDirectory)
  }

  #add(version: string, engineDirectory: string): HostProcess {
    const host = new HostProcess({
      engineDirectory,
      version,
      runDirectory: path.join(this.#options.runDirectory, version.slice(0, 12)),
      logFile: path.join(this.#options.logDirectory, 'engine.log'),
    })
    this.#hosts.set(version, host)
    void this.#watch(version, host)
    return host
  }

  /** Passes on events for as long as this server lives; a host that dies is started again. */
  async #watch(version: string, host: HostProcess): Promise<void> {
    const { signal } = this.#closing
    while (!signal.aborted) {
      try {
        await host.ensure()
        for await (const event of host.client.events(signal)) await this.#onEvent(version, event)
      } catch (error) {
        if (!signal.aborted) this.#options.log.warn({ version, error }, 'the event stream of the engine host broke')
      }
      host.suspect()
      await delay(100, undefined, { signal }).catch(() => undefined)
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all([...this.#hosts.values()].map((host) => host[Symbol.asyncDispose]()))
  }
}
