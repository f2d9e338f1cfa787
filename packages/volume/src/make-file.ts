import { open, rename, rm } from 'node:fs/promises'

import { syncPath } from '@torpor/file-system'

import type { Places } from './places.ts'
import type { Run } from './run-command.ts'

/**
 * Makes the file of a volume and the file system in it; it takes next to no room on disk. Has its name only when it is whole.
 * What a making that was interrupted left behind goes first.
 */
export async function makeFile({ dataDirectory, draft, file }: Places, bytes: number, run: Run): Promise<void> {
  await rm(draft, { force: true })
  await makeSparse(draft, bytes)
  // Sectors of 4 KiB suit direct I/O; there is nothing in a new file to be discarded (-K). Without -f it formats over nothing.
  await run('mkfs.xfs', '-q', '-K', '-m', 'reflink=1', '-s', 'size=4096', draft)
  await syncPath(draft)
  await rename(draft, file)
  await syncPath(dataDirectory)
}

async function makeSparse(file: string, bytes: number): Promise<void> {
  await using handle = await open(file, 'wx', 0o600)
  await handle.truncate(bytes)
}
