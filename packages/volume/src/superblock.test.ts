import { expect, it } from 'vitest'

import { parseSuperblock } from './superblock.ts'

it('the superblock of XFS tells the size of its journal; any other block tells nothing', () => {
  const block = Buffer.alloc(512)
  block.write('XFSB', 0, 'latin1')
  block.writeUInt32BE(4096, 4)
  block.writeUInt32BE(16_384, 96)
  expect(parseSuperblock(block)).toStrictEqual({ logBytes: 64 * 1024 ** 2 })
  expect(parseSuperblock(block.subarray(0, 99))).toBeUndefined()
  expect(parseSuperblock(Buffer.alloc(512))).toBeUndefined()
})
