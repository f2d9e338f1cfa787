import { statfs } from 'node:fs/promises'

import { TorporError } from '@torpor/contract'
import { codeOf } from '@torpor/file-system'

/** Whether the volume, or what this user may have of it, is used up. */
export const isFull = (error: unknown): boolean => codeOf(error) === 'ENOSPC' || codeOf(error) === 'EDQUOT'

const diskFull = (context: Record<string, unknown>, cause?: unknown): TorporError => {
  const message = "The server's disk is full: the sandbox's state cannot be saved. Nothing was lost; ask the operator for room"
  return new TorporError('no_space', message, { context, cause })
}

/** @throws TorporError `no_space` unless `bytes` are free on the volume of `directory`. */
export async function requireRoom(directory: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory)
  const free = bavail * bsize
  if (free < bytes) throw diskFull({ directory, free, needed: bytes })
}

/** Does `work` on `directory`; a full disk becomes `no_space`. */
export async function noticeFullDisk<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isFull(error)) throw diskFull({ directory }, error)
    throw error
  }
}
