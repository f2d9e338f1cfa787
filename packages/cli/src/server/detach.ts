import { mkdir, open, readFile, rename, stat } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'

import { SetupProblem } from '@torpor/setup'

import { type Detached, startDetached } from '../processes.ts'
import { sourceDirectory } from '../version.ts'
import { isHealthy } from './api-client.ts'
import type { ServeOptions } from './serve.ts'
import { servingServer } from './server-record.ts'

/** A first start captures the built-in templates, which may take minutes on a busy machine. */
const startMilliseconds = 600_000
const pollMilliseconds = 25
const logBytes = 64 * 1024 ** 2

/**
 * Starts the server in the background and waits until it serves.
 * @returns its address. @throws SetupProblem with the end of its log when it does not come to serve.
 */
export async function detach({ config, reporter, signal }: Pick<ServeOptions, 'config' | 'reporter' | 'signal'>): Promise<string> {
  const logFile = path.join(config.dataDirectory, 'logs', 'server.log')
  await mkdir(path.dirname(logFile), { recursive: true, mode: 0o700 })
  await rotate(logFile)
  await using log = await open(logFile, 'a', 0o600)
  const start = (await log.stat()).size
  const since = performance.now()
  reporter.started('server')
  const server = startDetached([path.join(sourceDirectory, 'packages/cli/src/main.ts'), 'up'], sourceDirectory, log)
  const address = await untilServing(server, config.dataDirectory, signal)
  if (address === undefined) {
    reporter.failed('server', performance.now() - since)
    throw new SetupProblem('the server ended before it served', { tail: await tailOf(logFile, start), logFile, mend: './torpor doctor' })
  }
  reporter.finished('server', performance.now() - since)
  server.release()
  return address
}

/** undefined when the process ended instead. */
async function untilServing(server: Detached, dataDirectory: string, signal: AbortSignal): Promise<string | undefined> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(startMilliseconds)])
  while (server.exitCode() === undefined) {
    if (limit.aborted) {
      process.kill(server.pid, 'SIGTERM')
      signal.throwIfAborted()
      throw new SetupProblem(`the server did not serve within ${startMilliseconds / 60_000} minutes`, { mend: './torpor doctor' })
    }
    const record = await servingServer(dataDirectory)
    if (record?.pid === server.pid && (await isHealthy(record.address))) return record.address
    await delay(pollMilliseconds)
  }
  return undefined
}

/** One older log is kept. */
async function rotate(logFile: string): Promise<void> {
  const size = await stat(logFile).then(
    (found) => found.size,
    () => 0,
  )
  if (size > logBytes) await rename(logFile, `${logFile}.1`)
}

async function tailOf(logFile: string, start: number): Promise<string> {
  const text = (await readFile(logFile)).subarray(start).toString('utf8')
  return text.trimEnd().split('\n').slice(-12).join('\n')
}
