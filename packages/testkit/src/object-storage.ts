import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync } from 'node:fs'
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

import { addOutsideMachine, ip } from './outside-machine.ts'

const run = promisify(execFile)
const versitygw = 'github.com/versity/versitygw/cmd/versitygw'
const version = 'v1.8.0'
const port = 7070

/** A real S3 server (versitygw over a directory) on a machine outside: a network namespace that sandboxes reach as they reach the internet. */
export interface ObjectStorage {
  /** Address of the S3 API, from sandboxes and from this machine. */
  readonly url: string
  readonly accessKey: string
  readonly secretKey: string
  /** Holds one directory per bucket, one file per object. */
  readonly directory: string
  /** Makes an empty bucket. */
  addBucket(name: string): Promise<void>
  /** Starts the server and resolves when it listens. */
  start(): Promise<void>
  /** Ends the server: its machine answers that nobody listens. */
  stop(): Promise<void>
  /** From now on every packet to the machine is lost: neither an answer nor an error, on open connections either. */
  unplug(): void
  plug(): void
  /** Ends the server and removes its machine and objects. */
  close(): Promise<void>
}

/** The server's binary, built once per version. */
async function binary(artifactDirectory: string): Promise<string> {
  const parent = path.join(artifactDirectory, 'versitygw')
  const home = path.join(parent, version)
  if (!existsSync(home)) {
    await mkdir(parent, { recursive: true })
    const work = await mkdtemp(path.join(parent, '.building-'))
    try {
      const env = { ...process.env, GOBIN: work, CGO_ENABLED: '0' }
      await run('go', ['install', `${versitygw}@${version}`], { env, timeout: 1_200_000 })
      // Another test may have been faster; its build is as good.
      await rename(work, home).catch((error: NodeJS.ErrnoException) => {
        if (!existsSync(home)) throw error
      })
    } finally {
      await rm(work, { recursive: true, force: true })
    }
  }
  return path.join(home, 'versitygw')
}

async function listening(url: string, server: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (server.exitCode !== null) throw new Error(`the S3 server ended with ${server.exitCode}`)
    const answer = await fetch(url, { signal: AbortSignal.timeout(1000) }).catch(() => undefined)
    if (answer) return
    await delay(50)
  }
  throw new Error('the S3 server does not listen')
}

/** Starts an S3 server outside. @param artifactDirectory keeps its binary. */
export async function objectStorage(artifactDirectory: string): Promise<ObjectStorage> {
  const program = await binary(artifactDirectory)
  const directory = await mkdtemp(path.join(tmpdir(), 'torpor-objects-'))
  const outside = addOutsideMachine()
  const name = outside.namespace
  const url = `http://${outside.addresses[0]}:${port}`
  const accessKey = 'tester'
  const secretKey = 'tester-secret'
  let server: ChildProcess | undefined
  const stop = async (): Promise<void> => {
    if (!server || server.exitCode !== null || server.signalCode !== null) return
    server.kill('SIGKILL')
    await once(server, 'exit')
  }
  const storage: ObjectStorage = {
    url,
    accessKey,
    secretKey,
    directory,
    addBucket: async (bucket) => {
      await mkdir(path.join(directory, bucket))
    },
    start: async () => {
      const output = openSync('/dev/null', 'w')
      const env = { ...process.env, ROOT_ACCESS_KEY: accessKey, ROOT_SECRET_KEY: secretKey }
      const args = ['netns', 'exec', name, program, '--port', `:${port}`, 'posix', directory]
      server = spawn('ip', args, { env, stdio: ['ignore', output, output] })
      closeSync(output)
      await listening(url, server)
    },
    stop,
    unplug: () => void ip('-n', name, 'route', 'add', 'blackhole', `${outside.gateway}/32`),
    plug: () => void ip('-n', name, 'route', 'del', 'blackhole', `${outside.gateway}/32`),
    close: async () => {
      await stop()
      outside.remove()
      await rm(directory, { recursive: true, force: true })
    },
  }
  try {
    await storage.start()
  } catch (error) {
    await storage.close()
    throw error
  }
  return storage
}
