import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'

import { codeOf } from '@torpor/file-system'
import { SetupProblem, holdLock } from '@torpor/setup'
import { z } from 'zod'

import { type ProcessIdentity, identityOf, isAlive } from '../processes.ts'

const identity = z.object({ pid: z.int().positive(), startTicks: z.int().nonnegative() })
const record = identity.extend({ address: z.string(), tlsAddress: z.string().optional(), startedAt: z.iso.datetime() })

/** A server that serves: written when its door opens, removed when it ends. */
export type ServerRecord = z.infer<typeof record>

const recordFile = (dataDirectory: string): string => path.join(dataDirectory, 'server.json')
const claimFile = (dataDirectory: string): string => path.join(dataDirectory, 'server.claim')

/** The server of `dataDirectory` that serves now; undefined when none does. */
export async function servingServer(dataDirectory: string): Promise<ServerRecord | undefined> {
  const found = await readJson(recordFile(dataDirectory), record)
  return found !== undefined && (await isAlive(found)) ? found : undefined
}

/** The process that serves `dataDirectory`, or is about to. */
export async function owningProcess(dataDirectory: string): Promise<ProcessIdentity | undefined> {
  const found = await readJson(claimFile(dataDirectory), identity)
  return found !== undefined && (await isAlive(found)) ? found : undefined
}

/**
 * Makes this process the owner of `dataDirectory`: two servers on one would fight for its sandboxes.
 * @throws SetupProblem when another process owns it.
 */
export async function claim(dataDirectory: string, signal: AbortSignal): Promise<void> {
  const release = await holdLock(path.join(dataDirectory, 'server.lock'), signal, () => undefined)
  try {
    await requireUnowned(dataDirectory)
    await writeJson(claimFile(dataDirectory), await ownIdentity())
  } finally {
    release()
  }
}

/** @throws SetupProblem when another process owns `dataDirectory`. */
export async function requireUnowned(dataDirectory: string): Promise<void> {
  const owner = await owningProcess(dataDirectory)
  if (owner === undefined || owner.pid === process.pid) return
  throw new SetupProblem(`another server (pid ${owner.pid}) is starting or stopping on ${dataDirectory}`, { mend: './torpor status' })
}

/** Makes this server known: it serves now. */
export async function announce(
  dataDirectory: string,
  { address, tlsAddress }: Pick<ServerRecord, 'address' | 'tlsAddress'>,
): Promise<void> {
  const own: ServerRecord = { ...(await ownIdentity()), address, tlsAddress, startedAt: new Date().toISOString() }
  await writeJson(recordFile(dataDirectory), own)
}

/** Takes back what this process announced and claimed. */
export async function withdraw(dataDirectory: string): Promise<void> {
  const own = await ownIdentity()
  for (const file of [recordFile(dataDirectory), claimFile(dataDirectory)]) {
    if ((await readJson(file, identity))?.pid === own.pid) await rm(file, { force: true })
  }
}

async function ownIdentity(): Promise<ProcessIdentity> {
  return (await identityOf(process.pid)) ?? { pid: process.pid, startTicks: 0 }
}

async function readJson<Value>(file: string, schema: z.ZodType<Value>): Promise<Value | undefined> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  })
  if (text === undefined) return undefined
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

async function writeJson(file: string, value: object): Promise<void> {
  const draft = `${file}.${process.pid}`
  await writeFile(draft, `${JSON.stringify(value)}\n`, { mode: 0o600 })
  await rename(draft, file)
}
