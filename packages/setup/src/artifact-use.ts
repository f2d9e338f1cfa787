import { mkdir, stat, utimes, writeFile } from 'node:fs/promises'
import path from 'node:path'

/** `used/<kind>/<name>`, whose time is that of the last use: artifacts themselves never change. */
export const markOf = (artifact: string): string => {
  const [name, kind] = [path.basename(artifact), path.basename(path.dirname(artifact))]
  return path.join(path.dirname(path.dirname(artifact)), 'used', kind, name)
}

/** Begins the mark of an artifact that is being made. */
export async function beginUse(artifact: string): Promise<void> {
  const mark = markOf(artifact)
  await mkdir(path.dirname(mark), { recursive: true, mode: 0o755 })
  await writeFile(mark, '')
}

/** Renews the mark. One without a mark is from before there were marks: nobody knows who needs it, so it never gets one. */
export async function renewUse(artifact: string): Promise<void> {
  const now = new Date()
  // Only a matter of disk space, and on a full or read-only disk no reason not to serve.
  await utimes(markOf(artifact), now, now).catch(() => undefined)
}

/** When it was used last, in milliseconds since the epoch; undefined without a mark. */
export const lastUse = (artifact: string): Promise<number | undefined> =>
  stat(markOf(artifact)).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  )
