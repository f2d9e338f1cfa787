import { describe, expect, it } from 'vitest'

import { automaticBytes, gibibyte, grownBytes, lackingBytes, mebibyte, wantedBytes } from './size.ts'

describe('the size of a volume that nobody chose', () => {
  it.each([
    [100, 88],
    [101, 88],
    [11.2, 8],
    [11, 7],
    [2, 0],
    [0, 0],
    [1_000_000, 15 * 1024],
  ])('is, of %d GiB, nine tenths less 2 GiB, in whole ones, within what a file can be: %d GiB', (room, expected) => {
    expect(automaticBytes(room * gibibyte) / gibibyte).toBe(expected)
  })
})

describe('the size that is wished for', () => {
  it('is a number as it is, what fits, or none', () => {
    expect(wantedBytes(1500, 0)).toBe(1500 * mebibyte)
    expect(wantedBytes('auto', 100 * gibibyte)).toBe(88 * gibibyte)
    expect(wantedBytes('off', 100 * gibibyte)).toBeUndefined()
  })

  it('makes a volume grow: a number at once, what fits when it is worth it; nothing makes it shrink', () => {
    expect(grownBytes(1025, 1025, 1024)).toBe(1025)
    expect(grownBytes(1024, 1024, 1024)).toBeUndefined()
    expect(grownBytes(1023, 1023, 1024)).toBeUndefined()
    expect(grownBytes('auto', 110, 100)).toBeUndefined()
    expect(grownBytes('auto', 111, 100)).toBe(111)
    expect(grownBytes('auto', 50, 100)).toBeUndefined()
    expect(grownBytes('off', undefined, 100)).toBeUndefined()
  })
})

it('a sparse volume lacks what it may still take and the disk below does not have', () => {
  expect(lackingBytes({ bytes: 100, allocatedBytes: 30 }, 50)).toBe(20)
  expect(lackingBytes({ bytes: 100, allocatedBytes: 30 }, 70)).toBe(0)
})
