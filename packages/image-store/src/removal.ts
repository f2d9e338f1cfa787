import { randomUUID } from 'node:crypto'
import { readdir, rename, rm, rmdir } from 'node:fs/promises'
import path from 'node:path'

import { codeOf } from '@torpor/file-system'

import { isFull } from './disk-full.ts'
import { isOwner } from './names.ts'

/** Removes an image or a draft, and its owner's directory when nothing is left in it. */
export async function removeImage(target: string): Promise<void> {
  await removeTree(target)
  await removeEmpty(path.dirname(target))
}

/** Gives up the name first, at once and whole: nobody finds half an image, whenever this dies. `sweep` removes what it leaves. */
export async function removeTree(target: string): Promise<void> {
  const gone = `${target}.${randomUUID()}.gone`
  try {
    await rename(target, gone)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    // Room must be made even where there is none for another name.
    if (!isFull(error)) throw error
    await rm(target, { recursive: true, force: true })
  }
  await rm(gone, { recursive: true, force: true })
}

/** Removes all that `keep` does not name, and nothing that is not an owner's. Gives the names removed. */
export async function sweep(directory: string, keep: ReadonlySet<string>): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true })
  const owners = entries.filter((entry) => entry.isDirectory() && isOwner(entry.name))
  const removed = await Promise.all(owners.map((owner) => sweepOwner(directory, owner.name, keep)))
  return removed.flat().sort()
}

async function sweepOwner(directory: string, owner: string, keep: ReadonlySet<string>): Promise<string[]> {
  const entries = await readdir(path.join(directory, owner)).catch((error: unknown) => {
    // Its last image was removed at this moment, and it with that.
    if (codeOf(error) === 'ENOENT') return []
    throw error
  })
  const names = entries.map((entry) => `${owner}/${entry}`)
  const removed = names.filter((name) => !keep.has(name))
  // Nobody's: none of them can be asked for by its name.
  await Promise.all(removed.map((name) => rm(path.join(directory, name), { recursive: true, force: true })))
  await removeEmpty(path.join(directory, owner))
  return removed
}

/** Left to the system to decide: a new draft may be made in it at this moment. */
async function removeEmpty(owner: string): Promise<void> {
  await rmdir(owner).catch((error: unknown) => {
    const code = codeOf(error)
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT') throw error
  })
}
