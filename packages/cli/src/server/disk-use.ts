import { lstat, readdir } from 'node:fs/promises'
import path from 'node:path'

/** Bytes that the tree below `directory` holds on disk, without the subtrees `except`; what cannot be read counts as nothing. */
export async function diskUse(directory: string, except: readonly string[]): Promise<number> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => [])
  const sizes = await Promise.all(
    entries.map(async (entry): Promise<number> => {
      const full = path.join(directory, entry.name)
      if (except.includes(full)) return 0
      if (entry.isDirectory()) return diskUse(full, except)
      return lstat(full).then(
        (found) => found.blocks * 512,
        () => 0,
      )
    }),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
