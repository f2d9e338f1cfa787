import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'

export const noteFile = 'torpor-image.json'
export const sumsFile = 'torpor-sums.json'

/** One file of an image. */
export interface ImageFile {
  /** Relative to the image's directory. */
  readonly name: string
  readonly size: number
  /** What the disk spends on it, in bytes. */
  readonly allocated: number
}

/** Every file below the image's directory, ours too; in order of their names. */
export async function allFiles(directory: string): Promise<ImageFile[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const names = entries.filter((entry) => entry.isFile()).map((entry) => path.relative(directory, path.join(entry.parentPath, entry.name)))
  return Promise.all(
    names.sort().map(async (name) => {
      const { size, blocks } = await stat(path.join(directory, name))
      return { name, size, allocated: blocks * 512 }
    }),
  )
}

/** What the engine wrote. */
export async function engineFiles(directory: string): Promise<ImageFile[]> {
  return (await allFiles(directory)).filter(({ name }) => name !== noteFile && !name.startsWith(sumsFile))
}

const pageFiles = new Set(['pages.img', 'rootfs-upper.tar'])
const largestSmallFile = 64 * 1024 * 1024

/** Whether a file is too large to be read before every restore: memory pages, written files. Its content is checked by `verify` alone. */
export const isPageData = ({ name, size }: ImageFile): boolean => size > largestSmallFile || pageFiles.has(path.basename(name))
