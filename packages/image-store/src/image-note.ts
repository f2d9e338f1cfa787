import { readFile, readdir, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { z } from 'zod'

const noteFile = 'torpor-image.json'
const note = z.object({ engineVersion: z.string(), bytes: z.number(), createdAt: z.number() })

/** What a committed image says of itself; for operators, and the sign that it is whole. */
export type ImageNote = z.infer<typeof note>

export async function writeNote(directory: string, engineVersion: string): Promise<void> {
  const content: ImageNote = { engineVersion, bytes: await bytesOf(directory), createdAt: Date.now() }
  await writeFile(path.join(directory, noteFile), JSON.stringify(content), { mode: 0o600 })
}

/** Undefined when there is none, or one that cannot be understood. */
export async function readNote(directory: string): Promise<ImageNote | undefined> {
  try {
    return note.parse(JSON.parse(await readFile(path.join(directory, noteFile), 'utf8')))
  } catch {
    return undefined
  }
}

/** What the files say they hold; blocks may be shared with other images. */
async function bytesOf(directory: string): Promise<number> {
  const names = await readdir(directory, { recursive: true })
  const sizes = await Promise.all(
    names.map(async (name) => {
      const found = await stat(path.join(directory, name))
      return found.isFile() ? found.size : 0
    }),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
