import { stat } from 'node:fs/promises'

import { codeOf, imageGone } from './damage.ts'

export async function isThere(directory: string): Promise<boolean> {
  try {
    await stat(directory)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  }
}

/** Does `work` on an image. One that is removed meanwhile, as a whole, is not damaged: `not_found`. */
export async function unlessRemoved<T>(directory: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (await isThere(directory)) throw error
    throw imageGone(directory, error)
  }
}
