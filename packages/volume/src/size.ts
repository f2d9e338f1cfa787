import type { VolumeSize } from './volume.ts'

export const mebibyte = 1024 ** 2
export const gibibyte = 1024 ** 3

/** The smallest volume that is made without being asked for. */
export const leastBytes = 8 * gibibyte

/** Where files of ext4 end. */
const mostBytes = 15 * 1024 * gibibyte

/** Stays free on the file system below a sparse volume: records, keys and logs lie there as well. */
export const reserveBytes = 1024 * mebibyte

/** What of a disk a volume takes by itself: `roomBytes` are free, or held by what the volume holds or will hold. Whole GiB. */
export function automaticBytes(roomBytes: number): number {
  const gibibytes = Math.floor((roomBytes * 0.9 - 2 * gibibyte) / gibibyte)
  return Math.max(0, Math.min(gibibytes * gibibyte, mostBytes))
}

/** The size that is wished for, in bytes; undefined when none is. */
export function wantedBytes(size: VolumeSize, roomBytes: number): number | undefined {
  if (size === 'off') return undefined
  return size === 'auto' ? automaticBytes(roomBytes) : size * mebibyte
}

/** The size to which a volume of `presentBytes` is grown; undefined when it stays as it is. It never shrinks. */
export function grownBytes(size: VolumeSize, wanted: number | undefined, presentBytes: number): number | undefined {
  if (wanted === undefined) return undefined
  // Free space comes and goes; not every start is worth a change.
  return wanted > presentBytes * (size === 'auto' ? 1.1 : 1) ? wanted : undefined
}

/** Bytes that a sparse volume may still take of the file system below it, and that this does not have. */
export const lackingBytes = (file: { readonly bytes: number; readonly allocatedBytes: number }, freeBelow: number): number =>
  Math.max(0, file.bytes - file.allocatedBytes - freeBelow)
