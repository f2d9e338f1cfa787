import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { TorporError } from '@torpor/contract'

import { runCommand } from '../run-command.ts'
import { serversPerMachine } from './plan.ts'

const claims = '/run/torpor'

/**
 * Several servers may run on one machine (a second data directory, tests): each claims a number, from which its addresses and
 * names follow. The claim names its data directory, lives until the machine restarts, and is free again when that directory is gone.
 */
export async function claimServerNumber(dataDirectory: string): Promise<number> {
  await mkdir(claims, { recursive: true, mode: 0o700 })
  const owners = await Promise.all(Array.from({ length: serversPerMachine }, (_, number) => ownerOf(number)))
  const mine = owners.indexOf(dataDirectory)
  if (mine >= 0) return mine
  for (const [number, owner] of owners.entries()) {
    if (owner !== undefined && (await exists(owner))) continue
    if (owner !== undefined) await releaseServerNumber(number)
    if (await claim(number, dataDirectory)) return number
  }
  throw new TorporError('exhausted', `All ${serversPerMachine} server numbers of this machine are in use`, { context: { owners } })
}

/** Gives the number back, with everything that stands under it. */
export async function releaseServerNumber(number: number): Promise<void> {
  const directory = path.join(claims, String(number))
  await unmountBelow(directory)
  await rm(directory, { recursive: true, force: true })
}

/** A host of the engine that was killed leaves a namespace mounted in its state. */
async function unmountBelow(directory: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '')
  for (const mount of mounts.filter((place) => place.startsWith(`${directory}/`))) await runCommand('umount', [mount])
}

/** Making the directory is the claim: only one of two can succeed. */
async function claim(number: number, dataDirectory: string): Promise<boolean> {
  try {
    await mkdir(path.join(claims, String(number)))
  } catch {
    return false
  }
  await writeFile(path.join(claims, String(number), 'owner'), dataDirectory)
  return true
}

const ownerOf = (number: number): Promise<string | undefined> =>
  readFile(path.join(claims, String(number), 'owner'), 'utf8').catch(() => undefined)

const exists = (file: string): Promise<boolean> =>
  stat(file).then(
    () => true,
    () => false,
  )
