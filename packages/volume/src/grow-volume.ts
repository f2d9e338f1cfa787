import { open } from 'node:fs/promises'

import { freeBytesOf, sizeOf, totalBytesOf } from './file-system.ts'
import type { Places } from './places.ts'
import { type Run, wordsOf } from './run-command.ts'
import { gibibyte, grownBytes, mebibyte, wantedBytes } from './size.ts'
import { readSuperblock } from './superblock.ts'
import type { VolumeOptions } from './volume.ts'

/** Makes the volume as large as it is wished to be, while it is in use. One that cannot be grown serves as it is, and `tell` hears why. */
export async function growVolume(device: string, places: Places, { size, tell }: VolumeOptions, run: Run): Promise<void> {
  const present = await sizeOf(places.file)
  if (present === undefined) return
  const wanted = wantedBytes(size, freeBytesOf(places.dataDirectory) + present.allocatedBytes)
  const grown = grownBytes(size, wanted, present.bytes)
  if (typeof size === 'number' && size * mebibyte < present.bytes) {
    tell(`the volume keeps its ${present.bytes / mebibyte} MiB: it cannot shrink to TORPOR_VOLUME_SIZE`)
  }
  try {
    if (grown !== undefined) await lengthen(places.file, grown)
    if (await exceedsFileSystem(places)) {
      await run('losetup', '--set-capacity', device)
      await run('xfs_growfs', '-d', places.mountPoint)
      tell(`the volume has grown from ${(present.bytes / gibibyte).toFixed(1)} to ${((grown ?? present.bytes) / gibibyte).toFixed(1)} GiB`)
    }
  } catch (error) {
    tell(`the volume could not be grown: ${wordsOf(error)}`)
  }
}

async function lengthen(file: string, bytes: number): Promise<void> {
  await using handle = await open(file, 'r+')
  await handle.truncate(bytes)
}

/** A growth that was interrupted shows as well: the file has room that the mounted file system does not know of. */
async function exceedsFileSystem({ file, mountPoint }: Places): Promise<boolean> {
  const [superblock, size] = await Promise.all([readSuperblock(file), sizeOf(file)])
  if (superblock === undefined || size === undefined) return false
  // XFS leaves out a rest that is too small to manage.
  return size.bytes - superblock.logBytes - totalBytesOf(mountPoint) >= mebibyte
}
