import { chmod, mkdir } from 'node:fs/promises'

import { codeOf } from '@torpor/file-system'
import { SetupProblem } from '@torpor/setup'

import { freeBytesOf, freedExtents, sizeOf, totalBytesOf } from './file-system.ts'
import { growVolume } from './grow-volume.ts'
import { detach, deviceOf, tuneDevice, withDevice } from './loop-device.ts'
import { type Mount, mountAt } from './mounts.ts'
import type { Places } from './places.ts'
import { type Run, holdingLock, looking, wordsOf } from './run-command.ts'
import { sharesBlocks } from './shares-blocks.ts'
import { reserveBytes } from './size.ts'
import type { Volume, VolumeOptions } from './volume.ts'

/**
 * Nothing in it is a device or gives rights; not `noexec`: the engine maps memory as code. The journal is written in large pieces: sharing and
 * copying blocks makes much of it at once. Not `discard`, which holds up every write by what was freed before: the server trims from time to time.
 */
const mountOptions = 'noatime,nodev,nosuid,logbsize=256k'

/**
 * Attaches and mounts the volume whose file exists, as far as that is not done, and grows it.
 * @throws SetupProblem when it cannot be mounted or used: images lie in it.
 */
export async function openLoopVolume(places: Places, options: VolumeOptions, run: Run): Promise<Volume> {
  await withDevice(places.file, run, async (device) => {
    await tuneDevice(device, run, options.tell)
    await mountDevice(device, places, run)
    await growVolume(device, places, options, run)
  })
  const shares = await requireWritable(places)
  return {
    directory: places.mountPoint,
    shares: shares && options.size !== 'off',
    kind: 'loop',
    reason: undefined,
    freeBytes: () => freeBytesIn(places),
    unbackedBytes: () => freeBytesOf(places.mountPoint) - freeBytesIn(places),
    totalBytes: () => totalBytesOf(places.mountPoint),
    trim: trimmer(places, options),
    close: () => holdingLock(places.lock, options.searchPath, (lockedRun) => closeLoopVolume(places, lockedRun, options.tell)),
  }
}

/** Trims when something was freed since the last time; a failure is only told. */
function trimmer({ mountPoint }: Places, { searchPath, tell }: VolumeOptions): () => Promise<void> {
  const run = looking(searchPath)
  let trimmed: number | undefined
  return async () => {
    const mount = await mountAt(mountPoint)
    const freed = mount && (await freedExtents(mount.source))
    if (freed === undefined || freed === trimmed) return
    await run('fstrim', mountPoint).catch((error: unknown) => tell(`the volume could not be trimmed: ${wordsOf(error)}`))
    trimmed = freed
  }
}

/** A block of the volume may need one of the disk below. */
export const freeBytesIn = ({ mountPoint, dataDirectory }: Places): number =>
  Math.max(0, Math.min(freeBytesOf(mountPoint), freeBytesOf(dataDirectory) - reserveBytes))

/** Mounts it, or gives a mount that somebody else made its options, all but the size of the journal's pieces, which XFS takes only at once. */
async function mountDevice(device: string, { mountPoint, file }: Places, run: Run): Promise<void> {
  const isMounted = (await mountAt(mountPoint)) !== undefined
  if (!isMounted) await mkdir(mountPoint, { recursive: true, mode: 0o700 })
  const args = isMounted ? ['-o', 'remount,rw,noatime,nodev,nosuid'] : ['-t', 'xfs', '-o', mountOptions, device]
  try {
    await run('mount', ...args, mountPoint)
  } catch (error) {
    throw new SetupProblem(`the volume ${file}, in which images lie, cannot be mounted`, {
      tail: wordsOf(error),
      mend: `\`dmesg | tail\` says why. A damaged one: xfs_repair ${device}. One that was copied beside its original: xfs_admin -U generate ${device}`,
      cause: error,
    })
  }
  await chmod(mountPoint, 0o700)
}

/** Whether its files share blocks; the trial writes to it. */
async function requireWritable({ mountPoint }: Places): Promise<boolean> {
  try {
    return await sharesBlocks(mountPoint)
  } catch (error) {
    // A full one cannot be tried; those that the server makes share blocks.
    if (codeOf(error) === 'ENOSPC') return true
    throw new SetupProblem(`the volume at ${mountPoint}, in which images lie, cannot be written to: ${wordsOf(error)}`, {
      mend: `\`dmesg | tail\` says why. After an error of the disk below: umount ${mountPoint} && ./torpor up --detach`,
      cause: error,
    })
  }
}

/** Whether what is mounted in the volume's place, if anything is, is its file. */
export async function isOurs({ file }: Places, mount: Mount | undefined, run: Run): Promise<boolean> {
  return mount !== undefined && (await sizeOf(file)) !== undefined && mount.source === (await deviceOf(file, run))
}

/** @throws SetupProblem when what is mounted in the volume's place is not its file. */
export async function requireNoForeignMount(places: Places, run: Run): Promise<void> {
  const { mountPoint, file } = places
  const mount = await mountAt(mountPoint)
  if (mount === undefined || (await isOurs(places, mount, run))) return
  throw new SetupProblem(`something else than ${file} is mounted at ${mountPoint}: ${mount.source}`, {
    mend: `save what lies in it, then umount ${mountPoint}`,
  })
}

async function closeLoopVolume(places: Places, run: Run, tell: (message: string) => void): Promise<void> {
  const mount = await mountAt(places.mountPoint)
  if (mount === undefined) return tell('the volume is not mounted any more')
  if (!(await isOurs(places, mount, run)))
    return tell(`the volume stays as it is: ${mount.source}, which is mounted in its place, is not ours`)
  await run('fstrim', places.mountPoint).catch((error: unknown) => tell(`the volume could not be trimmed: ${wordsOf(error)}`))
  try {
    await run('umount', places.mountPoint)
  } catch (error) {
    return tell(`the volume stays mounted: ${wordsOf(error)}`)
  }
  await detach(places.file, run)
}

/** Takes back what was mounted and attached. */
export async function releaseLoop({ mountPoint, file }: Places, run: Run): Promise<void> {
  if ((await sizeOf(file)) === undefined) return
  if ((await mountAt(mountPoint)) !== undefined) await run('umount', mountPoint)
  await detach(file, run)
}
