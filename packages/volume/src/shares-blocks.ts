import { constants } from 'node:fs'
import { copyFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'

import { codeOf } from '@torpor/file-system'

import { existing } from './file-system.ts'

const prefix = '.clone-trial-'

/** How file systems that cannot share blocks say so. */
const refusals = new Set<unknown>(['ENOTSUP', 'EOPNOTSUPP', 'ENOTTY', 'ENOSYS', 'EINVAL', 'EXDEV'])

/** Whether two files below `directory` can share blocks. Found by trying, with two files of one block. */
export async function sharesBlocks(directory: string): Promise<boolean> {
  await sweepTrials(directory)
  const trial = await mkdtemp(path.join(directory, `${prefix}${process.pid}-`))
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

/** Trials of processes that ended in the middle of them. */
async function sweepTrials(directory: string): Promise<void> {
  const left = (await readdir(directory)).filter(
    (name) => name.startsWith(prefix) && !isAlive(Number.parseInt(name.slice(prefix.length), 10)),
  )
  for (const name of left) await rm(path.join(directory, name), { recursive: true, force: true })
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return codeOf(error) !== 'ESRCH'
  }
}

/** The same for a directory that need not exist yet. */
export const sharesBlocksNear = (directory: string): Promise<boolean> => sharesBlocks(existing(directory))
