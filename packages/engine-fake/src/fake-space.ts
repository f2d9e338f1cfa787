import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'

import type { SpaceUse } from '@torpor/core'

/** What the files of an image take, which share nothing. */
export async function imageSpace(directory: string, extents: number): Promise<SpaceUse> {
  const found = await Promise.all((await readdir(directory)).map((name) => stat(path.join(directory, name))))
  const sumOf = (sizes: readonly number[]): number => sizes.reduce((sum, size) => sum + size, 0)
  const bytes = sumOf(found.map(({ size }) => size))
  return { bytes, allocatedBytes: sumOf(found.map(({ blocks }) => blocks * 512)), sharedBytes: 0, extents }
}
