import { once } from 'node:events'

import { codeOf } from '@torpor/file-system'
import type { RunningServer } from '@torpor/server'
import { type Config, type Secrets, forgetSecrets } from '@torpor/server/config'
import type { Artifacts, Reporter } from '@torpor/setup'

import { requireFreePorts } from './address.ts'
import { announce, claim, withdraw } from './server-record.ts'

export interface ServeOptions {
  readonly config: Config
  readonly secrets: Secrets
  readonly artifacts: Artifacts
  readonly reporter: Reporter
  /** Ends the server in order; running sandboxes go on. */
  readonly signal: AbortSignal
}

/** Serves in this process until the signal. */
export async function serve(options: ServeOptions, onServing: (address: string) => void): Promise<void> {
  const { dataDirectory } = options.config
  await claim(dataDirectory, options.signal)
  try {
    forgetSecrets()
    const server = await start(options)
    try {
      await announce(dataDirectory, server)
      onServing(server.address)
      if (!options.signal.aborted) await once(options.signal, 'abort')
    } finally {
      await server.close()
    }
  } finally {
    await withdraw(dataDirectory)
  }
}

async function start({ config, secrets, artifacts, reporter }: ServeOptions): Promise<RunningServer> {
  // Loaded here, so that the quick commands do not wait for it.
  const { startServer } = await import('@torpor/server')
  try {
    return await startServer({
      config,
      secrets,
      artifacts,
      onStep: ({ name, state, milliseconds }) => {
        if (state === 'start') reporter.started(name)
        else reporter.finished(name, milliseconds ?? 0)
      },
    })
  } catch (error) {
    if (isAddressError(error)) await requireFreePorts(config)
    throw error
  } finally {
    reporter.close()
  }
}

/** Somebody else took the port since it was tried, or the address went away. */
function isAddressError(error: unknown): boolean {
  if (!(error instanceof Error)) return false
  return codeOf(error) === 'EADDRINUSE' || codeOf(error) === 'EADDRNOTAVAIL' || isAddressError(error.cause)
}
