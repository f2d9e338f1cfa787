import { expect, it } from 'vitest'

import { outlivedLayers } from './layer-cache.ts'
import type { Layer } from './template.ts'

const day = 24 * 3_600_000
const now = 100 * day
const layer = (id: string, usedAt: number, bytes: number, key: string | null = id): Layer => ({
  id,
  key,
  bytes,
  usedAt,
  createdAt: 0,
  image: { name: `${id}/g1`, kind: 'files', engineVersion: 'e' },
})
const outlived = (layers: Layer[], most: number) => outlivedLayers(layers, now, most).map(({ id }) => id)

it('the layers used longest ago go first when the cache is too small', () => {
  const layers = [layer('old', now - 3 * day, 10), layer('new', now - day, 10), layer('middle', now - 2 * day, 10)]
  expect([outlived(layers, 30), outlived(layers, 25), outlived(layers, 10), outlived(layers, 0)]).toEqual([
    [],
    ['old'],
    ['middle', 'old'],
    ['new', 'middle', 'old'],
  ])
})

it('a layer goes that nobody used for two weeks, or that no key leads to; one just found stays', () => {
  expect(outlived([layer('aged', now - 15 * day, 1), layer('replaced', now - day, 1, null), layer('fresh', now - 1000, 100)], 10)).toEqual([
    'replaced',
    'aged',
  ])
})
