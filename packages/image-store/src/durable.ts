import { open, readdir } from 'node:fs/promises'
import path from 'node:path'

/** Makes a file's content, or a directory's entries, survive a loss of power. */
export async function syncPath(file: string): Promise<void> {
  const handle = await open(file, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** All files of a directory, then the directory. */
export async function syncTree(directory: string): Promise<void> {
  const names = await readdir(directory)
  await Promise.all(names.map((name) => syncPath(path.join(directory, name))))
  await syncPath(directory)
}

export const isDiskFull = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')
