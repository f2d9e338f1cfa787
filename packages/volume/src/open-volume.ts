import { realpath, rm } from 'node:fs/promises'
import path from 'node:path'

import { allocatedBytesBelow, freeBytesOf, sizeOf, totalBytesOf } from './file-system.ts'
import { openLoopVolume, releaseLoop, requireNoForeignMount } from './loop-volume.ts'
import { makeFile } from './make-file.ts'
import { obstacleTo, switchedOff } from './obstacles.ts'
import { type Places, placesOf } from './places.ts'
import { type Run, holdingLock, wordsOf } from './run-command.ts'
import { sharesBlocks } from './shares-blocks.ts'
import { wantedBytes } from './size.ts'
import { type Obstacle, type Volume, type VolumeOptions, sentenceOf } from './volume.ts'

/**
 * Finds the volume that is mounted, mounts the one that exists, or makes what is missing; the data directory's own file system serves where its files
 * share blocks. Where nothing can be made, bytes will be copied, which `reason` explains.
 * @throws SetupProblem when a volume exists that cannot be mounted, since images lie in it, or when something else is mounted in its place.
 */
export async function openVolume(options: VolumeOptions): Promise<Volume> {
  const places = placesOf(await realpath(options.dataDirectory))
  return holdingLock(places.lock, options.searchPath, async (run) => {
    await requireNoForeignMount(places, run)
    await rm(places.draft, { force: true })
    if ((await sizeOf(places.file)) !== undefined) return openLoopVolume(places, options, run)
    if (options.size === 'off') return plainVolume(options.dataDirectory, switchedOff)
    if (await sharesBlocks(places.dataDirectory)) return plainVolume(options.dataDirectory)
    return makeVolume(places, options, run)
  })
}

async function makeVolume(places: Places, options: VolumeOptions, run: Run): Promise<Volume> {
  const bytes = wantedBytes(options.size, await roomFor(places)) ?? 0
  const obstacle = await obstacleTo(options.size, bytes, options.searchPath)
  if (obstacle) return plainVolume(options.dataDirectory, obstacle)
  try {
    await makeFile(places, bytes, run)
    return await openLoopVolume(places, options, run)
  } catch (error) {
    // Made just now, and under the lock: nothing lies in it.
    await releaseLoop(places, run)
    await rm(places.draft, { force: true })
    await rm(places.file, { force: true })
    return plainVolume(options.dataDirectory, { why: `no volume could be made: ${causeOf(error)}`, mend: './torpor doctor' })
  }
}

const causeOf = (error: unknown): string => (error instanceof Error && error.cause !== undefined ? wordsOf(error.cause) : wordsOf(error))

/** Bytes that a new volume may use: those that are free, and those of the images that will be moved into it. */
export async function roomFor({ dataDirectory }: Places): Promise<number> {
  return freeBytesOf(dataDirectory) + (await allocatedBytesBelow(path.join(dataDirectory, 'images')))
}

/** The data directory itself; with an obstacle, without shared blocks. */
const plainVolume = (directory: string, obstacle?: Obstacle): Volume => ({
  directory,
  shares: obstacle === undefined,
  kind: obstacle === undefined ? 'data directory' : 'none',
  reason: obstacle && sentenceOf(obstacle),
  freeBytes: () => freeBytesOf(directory),
  unbackedBytes: () => 0,
  trim: () => Promise.resolve(),
  totalBytes: () => totalBytesOf(directory),
  close: () => Promise.resolve(),
})
