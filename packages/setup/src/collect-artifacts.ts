import { rm } from 'node:fs/promises'
import path from 'node:path'

import { neededArtifacts } from './artifact-needs.ts'
import { lastUse, markOf } from './artifact-use.ts'
import { artifactsIn, removeArtifact } from './artifact.ts'
import { type RunOptions, commandOutput } from './run-command.ts'

/** The directories of the artifact directory that hold one immutable directory per version. */
export const artifactKinds = ['engines', 'agents', 'tools', 'rootfs'] as const

const dayMilliseconds = 24 * 3_600_000
const unusedMilliseconds = 14 * dayMilliseconds

export interface CollectOptions extends RunOptions {
  /** Directories of this version, made or not. */
  readonly current: readonly string[]
  readonly now: number
  readonly tell: (text: string) => void
}

/**
 * Removes artifacts of earlier versions that no data directory of this machine needs, awake or asleep, and that no server was
 * started with for 14 days. Only to be called by the holder of the set-up's lock.
 * @throws Error, and removes nothing more, when it is not certain what is needed or something cannot be removed.
 */
export async function collectArtifacts(artifactDirectory: string, options: CollectOptions): Promise<void> {
  const before = options.now - unusedMilliseconds
  const needed = await neededArtifacts(artifactDirectory, before)
  const current = new Set(options.current)
  for (const kind of artifactKinds) {
    for (const artifact of await artifactsIn(path.join(artifactDirectory, kind))) {
      if (current.has(artifact) || needed.has(path.relative(artifactDirectory, artifact))) continue
      const used = await lastUse(artifact)
      if (used === undefined || used >= before) continue
      const size = await sizeOf(artifact)
      await removeArtifact(artifact, options)
      await rm(markOf(artifact), { force: true })
      const days = Math.floor((options.now - used) / dayMilliseconds)
      options.tell(`removed ${path.relative(artifactDirectory, artifact)}, not used for ${days} days${size}`)
    }
  }
}

/** Empty when it cannot be told soon. */
async function sizeOf(directory: string): Promise<string> {
  const [text] = (await commandOutput(['du', '-sxm', '--', directory]))?.split('\t') ?? []
  return text === undefined ? '' : `: ${text} MiB freed`
}
