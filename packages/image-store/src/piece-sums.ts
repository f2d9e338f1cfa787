import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'

import { alignedBuffer, openUncached } from './page-cache.ts'

/** Divides `pieceBytes`, and is summed in about 0.2 ms: this thread serves requests as well. */
const chunkBytes = 256 * 1024

/** Large enough for short side files, small enough to say where damage is. */
export const pieceBytes = 4 * 1024 * 1024

export interface PieceSum {
  readonly offset: number
  readonly sha256: string
}

/** Sum of a whole file, read through the page cache: the engine reads it next. */
export async function sumOf(file: string): Promise<string> {
  const handle = await open(file, 'r')
  try {
    const buffer = Buffer.allocUnsafe(chunkBytes)
    const { size } = await handle.stat()
    return await sumRange(handle, buffer, { from: 0, to: Infinity, size, pace: () => Promise.resolve() })
  } finally {
    await handle.close()
  }
}

/** Waits as long as reading so many bytes should take; throws when nobody wants them any more. */
export type Pace = (bytes: number) => Promise<void>

/** Sums of a file in pieces of `pieceLength`, one at least, in order, read past the page cache. */
export async function* sumPieces(file: string, pieceLength: number, pace: Pace): AsyncGenerator<PieceSum> {
  const handle = await openUncached(file)
  try {
    const { size } = await handle.stat()
    const buffer = idleBuffers.pop() ?? alignedBuffer(chunkBytes)
    try {
      let offset = 0
      do {
        yield { offset, sha256: await sumRange(handle, buffer, { from: offset, to: offset + pieceLength, size, pace }) }
        offset += pieceLength
      } while (offset < size)
    } finally {
      idleBuffers.push(buffer)
    }
  } finally {
    await handle.close()
  }
}

/** Each reserves gigabytes of addresses until it is collected: used again. As many as there were readings at the same time. */
const idleBuffers: Buffer[] = []

interface Range {
  readonly from: number
  readonly to: number
  /** Of the file: what is asked for reaches beyond it, as reading past the page cache goes by whole blocks. */
  readonly size: number
  readonly pace: Pace
}

/** Holes are read like data: Node cannot ask where they are, and they cost no reading of the disk. */
async function sumRange(handle: FileHandle, buffer: Buffer, { from, to, size, pace }: Range): Promise<string> {
  const sum = createHash('sha256')
  for (let offset = from; offset < Math.min(to, size);) {
    const { bytesRead } = await handle.read(buffer, 0, Math.min(buffer.length, to - offset), offset)
    if (bytesRead === 0) break
    sum.update(buffer.subarray(0, bytesRead))
    offset += bytesRead
    await pace(bytesRead)
  }
  return sum.digest('hex')
}
