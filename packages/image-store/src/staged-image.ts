import { mkdir, rename, rm } from 'node:fs/promises'
import path from 'node:path'

import type { ImageRef, StagedImage } from '@torpor/core'
import { codeOf, makeDirectory, syncPath, syncTree } from '@torpor/file-system'

import { noticeFullDisk } from './disk-full.ts'
import { writeNote } from './image-note.ts'
import { removeImage, removeTree } from './removal.ts'

/** Begins an image beside its final place. What an earlier attempt left there is removed. */
export async function stageImage(target: string, image: ImageRef, diskBytes: number | undefined): Promise<StagedImage> {
  const draft = `${target}.tmp`
  await noticeFullDisk(draft, () => prepare(draft))
  let committed = false
  return {
    directory: draft,
    commit: async () => {
      await noticeFullDisk(draft, () => commit(draft, target, image, diskBytes))
      committed = true
      return image
    },
    discard: async () => {
      if (!committed) await removeImage(draft)
    },
  }
}

/** The removal of the owner's last image takes its directory along, perhaps just now: then it is made once more. */
async function prepare(draft: string): Promise<void> {
  await rm(draft, { recursive: true, force: true })
  for (let tries = 1; ; tries += 1) {
    try {
      await makeDirectory(path.dirname(draft))
      await mkdir(draft, { mode: 0o700 })
      return
    } catch (error) {
      if (tries === mostTries || codeOf(error) !== 'ENOENT') throw error
    }
  }
}

const mostTries = 10

/** The order is the promise: content, then the directory that names it, then the rename, then the parent that holds it. */
async function commit(draft: string, target: string, image: ImageRef, diskBytes: number | undefined): Promise<void> {
  await writeNote(draft, image, diskBytes)
  await syncTree(draft)
  // Renamed by a server that died before it was recorded: never used by anyone.
  await removeTree(target)
  await rename(draft, target)
  await syncPath(path.dirname(target)).catch((error: unknown) => withdraw(target, error))
}

/** What may be lost with the next loss of power is no image; and what the caller never hears of must not stay. */
async function withdraw(target: string, error: unknown): Promise<never> {
  // When that fails as well, the next sweep finds it: no record names it.
  await removeImage(target).catch(() => undefined)
  throw error
}
