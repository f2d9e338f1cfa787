import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rename } from 'node:fs/promises'
import path from 'node:path'

import { beginUse } from './artifact-use.ts'
import { type RunOptions, runCommand } from './run-command.ts'

const buildingPrefix = '.building-'

/** Whether the artifact stands: it is made by a rename, so what exists is complete. */
export const isPublished = (directory: string): boolean => existsSync(directory)

/**
 * Makes the immutable directory `directory`: `build` fills a path that does not exist yet, on the same file system, which is
 * renamed when it succeeded. A failed or ended build leaves nothing at `directory`.
 */
export async function publish(directory: string, options: RunOptions, build: (output: string) => Promise<void>): Promise<void> {
  const parent = path.dirname(directory)
  await mkdir(parent, { recursive: true, mode: 0o755 })
  const work = await mkdtemp(path.join(parent, buildingPrefix))
  try {
    const output = path.join(work, 'output')
    await build(output)
    await beginUse(directory)
    await rename(output, directory)
  } finally {
    await removeTree(work, options)
  }
}

/** Removes what builds left behind that were killed. Only to be called by the holder of the set-up's lock. */
export async function sweepUnfinished(parent: string, options: RunOptions): Promise<void> {
  const names = await readdir(parent).catch(() => [])
  for (const name of names.filter((name) => name.startsWith(buildingPrefix))) await removeTree(path.join(parent, name), options)
}

/** Gives up the name first: what is left of a removal that was killed is swept as what is left of a build. */
export async function removeArtifact(directory: string, options: RunOptions): Promise<void> {
  const work = await mkdtemp(path.join(path.dirname(directory), buildingPrefix))
  await rename(directory, path.join(work, 'output'))
  await removeTree(work, options)
}

/** The artifacts of a kind, finished ones only. */
export async function artifactsIn(parent: string): Promise<string[]> {
  const names = await readdir(parent).catch(() => [])
  return names.filter((name) => !name.startsWith('.')).map((name) => path.join(parent, name))
}

/** A build of a root file system mounts things below it: never follow them into this machine. Goes on when cancelled. */
async function removeTree(directory: string, options: RunOptions): Promise<void> {
  const { signal: _cancelled, ...rest } = options
  await runCommand(['rm', '-rf', '--one-file-system', '--', directory], { ...rest, signal: new AbortController().signal })
}
