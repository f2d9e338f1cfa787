import { constants } from 'node:fs'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { codeOf } from './code-of.ts'
import { existing } from './file-system.ts'

/** How file systems that cannot share blocks say so. */
const refusals = new Set<unknown>(['ENOTSUP', 'EOPNOTSUPP', 'ENOTTY', 'ENOSYS', 'EINVAL', 'EXDEV'])

/** Whether two files below `directory` can share blocks. Found by trying, with two files of one block. */
export async function sharesBlocks(directory: string): Promise<boolean> {
  const trial = await mkdtemp(path.join(directory, '.clone-trial-'))
  try {
    const original = path.join(trial, 'original')
    await writeFile(original, Buffer.alloc(4096))
    await copyFile(original, path.join(trial, 'clone'), constants.COPYFILE_FICLONE_FORCE)
    return true
  } catch (error) {
    if (refusals.has(codeOf(error))) return false
    throw error
  } finally {
    await rm(trial, { recursive: true, force: true })
  }
}

/** The same for a directory that need not exist yet. */
export const sharesBlocksNear = (directory: string): Promise<boolean> => sharesBlocks(existing(directory))
