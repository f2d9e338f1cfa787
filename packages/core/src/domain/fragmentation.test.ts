import { expect, it } from 'vitest'

import { isFragmented } from './fragmentation.ts'

it('takes an image for fragmented by its pieces, of which a larger one may have more', () => {
  const gibibyte = 1024 ** 3
  expect(isFragmented({ extents: 1024, allocatedBytes: 0 })).toBe(false)
  expect(isFragmented({ extents: 2048, allocatedBytes: gibibyte })).toBe(false)
  expect(isFragmented({ extents: 2049, allocatedBytes: gibibyte })).toBe(true)
  expect(isFragmented({ extents: 2049, allocatedBytes: 4 * gibibyte })).toBe(false)
})
