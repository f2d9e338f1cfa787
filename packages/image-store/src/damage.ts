import { TorporError } from '@torpor/contract'
import { codeOf } from '@torpor/file-system'

/** What is wrong with an image, for the operator: the file within it, and where known the place in that. */
interface Damage {
  readonly what: string
  readonly file: string
  readonly [detail: string]: unknown
}

/** Saved state that is not what was saved. `context` and `cause` are for the operator's log only. */
export function damaged(reason: string, context: Damage, cause?: unknown): TorporError {
  const message = `The saved state of this sandbox is damaged: ${reason}. Nothing was started from it. Ask the operator, whose log names the file`
  return new TorporError('damaged', message, { context, cause })
}

const unreadable = new Set<unknown>(['ENOENT', 'EISDIR', 'ENOTDIR', 'EIO', 'EUCLEAN', 'EBADMSG'])

/** Whether it is the file that cannot be read, not the server that has too little of something. */
export const isUnreadable = (error: unknown): boolean => unreadable.has(codeOf(error))

/** Reads a file of an image: one that is missing, or that the disk cannot read, is damage. */
export async function noticeDamage<T>(file: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (isUnreadable(error)) throw damaged('a file of it cannot be read', { what: 'missing or unreadable', file }, error)
    throw error
  }
}
