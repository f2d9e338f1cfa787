import { open, readdir } from 'node:fs/promises'
import path from 'node:path'

/** Makes a file's content, or a directory's entries, survive a loss of power. */
export async function syncPath(file: string): Promise<void> {
  await using handle = await open(file, 'r')
  await handle.sync()
}

/** All files below a directory, each directory after what it holds. */
export async function syncTree(directory: string): Promise<void> {
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const target = path.join(directory, entry.name)
    if (entry.isDirectory()) await syncTree(target)
    else if (entry.isFile()) await syncPath(target)
  }
  await syncPath(directory)
}
