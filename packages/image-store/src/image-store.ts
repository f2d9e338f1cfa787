import type { ImageRef, ImageStore } from '@torpor/core'
import { makeDirectory } from '@torpor/file-system'

import { noticeFullDisk, requireRoom } from './disk-full.ts'
import { ImageCheck } from './image-check.ts'
import { allFiles } from './image-files.ts'
import { readNote } from './image-note.ts'
import { pathOf } from './names.ts'
import { paceOf } from './pace.ts'
import { onImage } from './presence.ts'
import { removeImage, sweep } from './removal.ts'
import { stageImage } from './staged-image.ts'
import { verifyImage } from './verify.ts'

export interface ImageStoreOptions {
  readonly directory: string
  /** Bytes that stay free on the volume for everything else. */
  readonly reserveBytes?: number
}

const defaultReserveBytes = 256 * 1024 * 1024

/** Images as `<owner>/g<generation>`; `g<generation>.tmp` while being written, `g<generation>.<any>.gone` while being removed. */
export function openImageStore({ directory, reserveBytes = defaultReserveBytes }: ImageStoreOptions): ImageStore {
  const check = new ImageCheck()
  const on = <T>({ name }: ImageRef, work: (target: string) => Promise<T>): Promise<T> => {
    const target = pathOf(directory, name)
    return onImage(target, () => work(target))
  }
  return {
    stage: async ({ owner, generation, kind, engineVersion, diskBytes }, expectedBytes) => {
      const name = `${owner}/g${generation}`
      const target = pathOf(directory, name)
      await noticeFullDisk(directory, () => makeDirectory(directory))
      await requireRoom(directory, expectedBytes + reserveBytes)
      return stageImage(target, { name, kind, engineVersion }, diskBytes)
    },
    locate: async (image) =>
      on(image, async (target) => {
        const { files } = await readNote(target, image)
        await check.check(target, files ?? [])
        return target
      }),
    verify: async (image, { bytesPerSecond, signal }) =>
      on(image, async (target) => verifyImage(target, await readNote(target, image), paceOf(bytesPerSecond, signal))),
    usage: async (image) =>
      on(image, async (target) => {
        const files = await allFiles(target)
        const sumOver = (field: 'size' | 'allocated'): number => files.reduce((sum, file) => sum + file[field], 0)
        return { bytes: sumOver('size'), allocatedBytes: sumOver('allocated') }
      }),
    diskBytes: async (image) =>
      on(image, async (target) => {
        const { kind, bytes, diskBytes } = await readNote(target, image)
        return kind === 'files' ? bytes : (diskBytes ?? bytes)
      }),
    remove: async ({ name }) => removeImage(pathOf(directory, name)),
    sweep: async (keep) => {
      await makeDirectory(directory)
      return sweep(directory, new Set(keep.map(({ name }) => name)))
    },
  }
}
