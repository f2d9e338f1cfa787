import { existsSync } from 'node:fs'
import { open, readFile, realpath, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { SetupProblem } from '@torpor/setup'
import { z } from 'zod'

import { type Run, wordsOf } from './run-command.ts'

/** Pages that are read ahead decide how large a piece of memory becomes dirty as a whole; of those measured, this served best (docs/volume.md). */
export const bestReadAheadKiB = 128

const listing = z.object({ loopdevices: z.array(z.object({ name: z.string() })) })

/** The devices that `losetup --json` lists, such as `/dev/loop0`. */
export function parseDevices(output: string): string[] {
  // Older ones print nothing at all where there is none.
  if (output.trim() === '') return []
  return listing.parse(JSON.parse(output)).loopdevices.map(({ name }) => name)
}

/**
 * The loop device of `file`, whoever attached it; undefined when there is none.
 * @throws SetupProblem when there are two: each would keep a file system of its own in the same blocks.
 */
export async function deviceOf(file: string, run: Run): Promise<string | undefined> {
  const [device, ...more] = parseDevices(await run('losetup', '--json', '--output', 'NAME', '--associated', file))
  if (more.length === 0) return device
  throw new SetupProblem(`${file} is attached to several loop devices: ${[device, ...more].join(', ')}`, {
    mend: 'detach all of them before anything else is written: losetup --detach <device>',
  })
}

/** Does `work` on the loop device of `file`, attached if it was not; meanwhile nothing can take the device away. */
export async function withDevice<T>(file: string, run: Run, work: (device: string) => Promise<T>): Promise<T> {
  for (;;) {
    const device = (await deviceOf(file, run)) ?? (await attach(file, run))
    // One whose last mount ends in another mount namespace detaches itself: it is held, then looked at again.
    await using _held = await open(device, 'r')
    if ((await deviceOf(file, run)) === device) return await work(device)
  }
}

/** Never a second device for one file, as long as every attaching holds the lock. */
async function attach(file: string, run: Run): Promise<string> {
  // Sectors of 4 KiB: direct I/O is possible on disks that have smaller ones and on those that do not.
  const args = ['--find', '--show', '--nooverlap', '--sector-size', '4096']
  try {
    return (await run('losetup', ...args, '--direct-io=on', file)).trim()
  } catch {
    return (await deviceOf(file, run)) ?? (await run('losetup', ...args, file)).trim()
  }
}

/** One that is in use elsewhere, as by a mount in another mount namespace, stays until that ends, and then goes by itself. */
export async function detach(file: string, run: Run): Promise<void> {
  const device = await deviceOf(file, run)
  if (device === undefined) return
  await run('losetup', '--detach', device).catch(async (error: unknown) => {
    if ((await deviceOf(file, run)) === device) throw error
  })
}

/** Makes direct I/O and the read-ahead what they are to be. */
export async function tuneDevice(device: string, run: Run, tell: (message: string) => void): Promise<void> {
  if (!(await usesDirectIo(device))) {
    const refusal = await run('losetup', '--direct-io=on', device).then(() => 'the file system below does not allow it', wordsOf)
    if (!(await usesDirectIo(device))) tell(`the volume goes without direct I/O, which is slower and takes more memory: ${refusal}`)
  }
  await writeFile(queueFile(device), String(bestReadAheadKiB))
}

const blockDirectory = (device: string): string => path.join('/sys/block', path.basename(device))
const queueFile = (device: string): string => path.join(blockDirectory(device), 'queue/read_ahead_kb')

export const usesDirectIo = async (device: string): Promise<boolean> =>
  (await readFile(path.join(blockDirectory(device), 'loop/dio'), 'utf8')).trim() === '1'

export interface ReadAhead {
  readonly kibibytes: number
  /** Where it can be changed. */
  readonly file: string
}

/** Of the block device numbered `<major>:<minor>`, or of the disk that it is a part of; undefined when there is none. */
export async function readAheadOf(number: string): Promise<ReadAhead | undefined> {
  const device = await realpath(path.join('/sys/dev/block', number)).catch(() => undefined)
  if (device === undefined) return undefined
  const files = [device, path.dirname(device)].map((directory) => path.join(directory, 'queue/read_ahead_kb'))
  const file = files.find((found) => existsSync(found))
  return file === undefined ? undefined : { kibibytes: Number(await readFile(file, 'utf8')), file }
}
