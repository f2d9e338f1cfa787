import { readdir, rename, rm, rmdir } from 'node:fs/promises'
import path from 'node:path'

import { codeOf, makeDirectory, syncPath, syncTree } from '@torpor/file-system'
import { SetupProblem } from '@torpor/setup'

import { copyTree } from './copy-tree.ts'
import { allocatedBytesBelow } from './file-system.ts'
import { mebibyte } from './size.ts'
import type { Volume } from './volume.ts'

const isImage = (name: string): boolean => /^g\d{1,9}$/.test(name)

/**
 * Moves the images that an earlier version, or a time without a volume, left in the data directory. Each arrives whole or not at all, and
 * goes from where it was only then: this may die at any moment and be done again. What of the old place is no image is of no use, and removed.
 * @returns how many were moved. @throws SetupProblem when there is too little room for them; what was moved until then stays moved.
 */
export async function moveInto({ kind, directory }: Pick<Volume, 'kind' | 'directory'>, dataDirectory: string): Promise<number> {
  if (kind !== 'loop') return 0
  const [from, to] = [path.join(dataDirectory, 'images'), path.join(directory, 'images')]
  try {
    return await moveOwners(from, to)
  } catch (error) {
    if (codeOf(error) !== 'ENOSPC') throw error
    const left = Math.ceil((await allocatedBytesBelow(from)) / mebibyte)
    throw new SetupProblem(`the volume has too little room for the images that lie in ${from}: ${left} MiB have still to be moved`, {
      mend: `free some space, or set TORPOR_VOLUME_SIZE ${left} MiB higher than it is`,
      cause: error,
    })
  }
}

async function moveOwners(from: string, to: string): Promise<number> {
  let moved = 0
  for (const owner of await directoriesIn(from)) {
    const images = (await directoriesIn(path.join(from, owner))).filter(isImage)
    for (const image of images) await moveImage(path.join(from, owner, image), path.join(to, owner, image))
    await rm(path.join(from, owner), { recursive: true })
    moved += images.length
  }
  await removeEmpty(from)
  return moved
}

async function moveImage(from: string, to: string): Promise<void> {
  const owner = path.dirname(to)
  await makeDirectory(owner)
  if (!(await directoriesIn(owner)).includes(path.basename(to))) {
    const draft = `${to}.moving`
    await rm(draft, { recursive: true, force: true })
    await copyTree(from, draft)
    await syncTree(draft)
    await rename(draft, to)
    await syncPath(owner)
  }
  await rm(from, { recursive: true })
}

/** Their names; none where there is no such place. */
async function directoriesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  })
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name)
}

/** What is not ours keeps it. */
async function removeEmpty(directory: string): Promise<void> {
  await rmdir(directory).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'ENOTEMPTY') throw error
  })
}
