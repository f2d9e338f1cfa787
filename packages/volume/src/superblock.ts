import { open } from 'node:fs/promises'

/** What the first block of a file says of the file system in it. */
export interface Superblock {
  /** Of its journal, which the kernel does not count as part of the size. */
  readonly logBytes: number
}

const superblockLength = 100

/** undefined when it is not one of XFS. Read are its magic number, the size of a block and the number of blocks of the journal. */
export function parseSuperblock(block: Buffer): Superblock | undefined {
  if (block.length < superblockLength || block.toString('latin1', 0, 4) !== 'XFSB') return undefined
  return { logBytes: block.readUInt32BE(4) * block.readUInt32BE(96) }
}

export async function readSuperblock(file: string): Promise<Superblock | undefined> {
  await using handle = await open(file, 'r')
  const block = Buffer.alloc(superblockLength)
  const { bytesRead } = await handle.read(block, 0, block.length, 0)
  return parseSuperblock(block.subarray(0, bytesRead))
}
