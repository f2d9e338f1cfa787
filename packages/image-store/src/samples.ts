import { open } from 'node:fs/promises'

import type { ImageDraft } from '@torpor/core'

/** A memory image to be written by the build `fake-1`. */
export const draftOf = (owner: string, generation: number): ImageDraft => ({ owner, generation, kind: 'memory', engineVersion: 'fake-1' })

/** Damages one byte where it stands: size and inode stay. */
export async function flipByte(file: string, offset: number): Promise<void> {
  const handle = await open(file, 'r+')
  try {
    const byte = Buffer.alloc(1)
    await handle.read(byte, 0, 1, offset)
    await handle.write(Buffer.from([byte.readUInt8() ^ 1]), 0, 1, offset)
  } finally {
    await handle.close()
  }
}
