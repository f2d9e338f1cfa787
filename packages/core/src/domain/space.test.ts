import { expect, it } from 'vitest'

import { requireSpace, spaceNeed } from './space.ts'

const mebibyte = 1024 * 1024
const resources = { cpuCount: 1, memoryMiB: 1024, diskMiB: 20_480 }

it('reserves memory, and of the disk what is held or what is assured, whichever is more', () => {
  const memory = (1024 + 256) * mebibyte
  expect(spaceNeed(resources, 0, 512)).toBe(memory + 512 * mebibyte)
  expect(spaceNeed(resources, 100 * mebibyte, 512)).toBe(memory + 512 * mebibyte)
  expect(spaceNeed(resources, 600 * mebibyte, 512)).toBe(memory + 600 * mebibyte)
  expect(spaceNeed({ ...resources, diskMiB: 64 }, 0, 512)).toBe(memory + 64 * mebibyte)
})

it('takes what fits to the byte, and refuses one more with the figures', () => {
  const space = { freeBytes: 100 * mebibyte, promisedBytes: 60 * mebibyte, holders: 2 }
  requireSpace(space, 40 * mebibyte, 'another sandbox')
  expect(() => requireSpace(space, 40 * mebibyte + 1, 'another sandbox')).toThrow(
    expect.objectContaining({
      kind: 'exhausted',
      message: expect.stringMatching(/for another sandbox: it may need 41 MiB, 2 running sandboxes are promised 60 MiB of the 100 MiB/),
    }),
  )
})
