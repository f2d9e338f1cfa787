import { TorporError } from '@torpor/contract'

import type { Resources } from './sandbox.ts'

const mebibyte = 1024 * 1024

/** How far memory may grow beyond its limit before the engine ends a process inside, and the state of the sandbox's own kernel; in MiB. */
const headroomMiB = 256

/**
 * Bytes that a running sandbox may still take of a volume whose files share blocks: all of its memory, since what it shares with an
 * image is copied when it is written to, the files that it has (`heldBytes`), for the same reason, and those that it may write for sure.
 */
export function spaceNeed({ memoryMiB, diskMiB }: Resources, heldBytes: number, diskReserveMiB: number): number {
  return (memoryMiB + headroomMiB) * mebibyte + Math.max(heldBytes, Math.min(diskReserveMiB, diskMiB) * mebibyte)
}

/** What there is of the volume, in bytes: free, and of that promised to `holders` running sandboxes. */
export interface Space {
  readonly freeBytes: number
  readonly promisedBytes: number
  readonly holders: number
}

/** @throws TorporError `exhausted`, with the figures, when the volume has no room for `neededBytes` beside what is promised. */
export function requireSpace({ freeBytes, promisedBytes, holders }: Space, neededBytes: number, what: string): void {
  if (promisedBytes + neededBytes <= freeBytes) return
  const mib = (bytes: number): number => Math.ceil(bytes / mebibyte)
  throw new TorporError(
    'exhausted',
    `Not enough room on the server's volume for ${what}: it may need ${mib(neededBytes)} MiB, ${holders} running sandboxes are promised ` +
      `${mib(promisedBytes)} MiB of the ${mib(freeBytes)} MiB that are free. Kill or pause one, delete snapshots, or enlarge the volume`,
    { context: { freeBytes, promisedBytes, neededBytes } },
  )
}
