import { TorporError } from '@torpor/contract'
import type { ImageStore } from '@torpor/core'

import { noticeFullDisk, requireRoom } from './disk-full.ts'
import { makeDirectory } from './durable.ts'
import { readNote } from './image-note.ts'
import { pathOf } from './names.ts'
import { removeImage, sweep } from './removal.ts'
import { stageImage } from './staged-image.ts'

export interface ImageStoreOptions {
  readonly directory: string
  /** Bytes that stay free on the volume for everything else. */
  readonly reserveBytes?: number
}

const defaultReserveBytes = 256 * 1024 * 1024

/** Images as `<owner>/g<generation>`; `g<generation>.tmp` while being written. */
export function openImageStore({ directory, reserveBytes = defaultReserveBytes }: ImageStoreOptions): ImageStore {
  return {
    stage: async (owner, generation, engineVersion, expectedBytes) => {
      const name = `${owner}/g${generation}`
      const target = pathOf(directory, name)
      await noticeFullDisk(directory, () => makeDirectory(directory))
      await requireRoom(directory, expectedBytes + reserveBytes)
      return stageImage(target, { name, engineVersion })
    },
    locate: async ({ name, engineVersion }) => {
      const target = pathOf(directory, name)
      const note = await readNote(target)
      if (note?.engineVersion === engineVersion) return target
      throw new TorporError('not_found', 'The memory image is not there any more', { context: { target, note, engineVersion } })
    },
    remove: async ({ name }) => removeImage(pathOf(directory, name)),
    sweep: async (keep) => {
      await makeDirectory(directory)
      return sweep(directory, new Set(keep.map(({ name }) => name)))
    },
  }
}
