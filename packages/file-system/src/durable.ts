import { mkdir, open, readdir } from 'node:fs/promises'
import path from 'node:path'

/** Makes a file's content, or a directory's entries, survive a loss of power. */
export async function syncPath(file: string): Promise<void> {
  await using handle = await open(file, 'r')
  await handle.sync()
}

/** All files below a directory at the same time, each directory after what it holds. */
export async function syncTree(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true })
  await Promise.all(
    entries.map(async (entry) => {
      const target = path.join(directory, entry.name)
      if (entry.isDirectory()) await syncTree(target)
      else if (entry.isFile()) await syncPath(target)
    }),
  )
  await syncPath(directory)
}

/** Makes a directory for this user alone, and what is missing above it; all of it is durable when this returns. */
export async function makeDirectory(directory: string): Promise<void> {
  const first = await mkdir(directory, { recursive: true, mode: 0o700 })
  if (first === undefined) return
  for (let made = directory; made.length >= first.length; made = path.dirname(made)) await syncPath(path.dirname(made))
}
