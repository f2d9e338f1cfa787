import { stat } from 'node:fs/promises'

import { TorporError, isKind } from '@torpor/contract'
import { codeOf } from '@torpor/file-system'

/** Does `work` on an image, whose directory the operator is told with any damage. One that is not there, or no more, is `not_found`. */
export async function onImage<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!(await isThere(directory))) throw imageGone(directory, error)
    if (!isKind(error, 'damaged')) throw error
    throw new TorporError('damaged', error.message, { context: { ...error.context, directory }, cause: error.cause })
  }
}

async function isThere(directory: string): Promise<boolean> {
  try {
    await stat(directory)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

const imageGone = (directory: string, cause: unknown): TorporError =>
  new TorporError('not_found', 'The saved state is not there any more', { context: { directory }, cause })
