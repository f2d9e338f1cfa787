import * as fc from 'fast-check'
import { expect, it } from 'vitest'

import { type Demand, wantedSpares } from './spares.ts'

const pool = { size: 2, bytes: 1000 }
const minute = 60_000
const now = 100 * 24 * 60 * minute
const used = (buildId: string, minutesAgo: number, asked = 0, bytesPerSpare = 10): Demand => ({
  buildId,
  lastAskedAt: now - minutesAgo * minute,
  asked,
  bytesPerSpare,
})

it('keeps more of what is asked for, less of what lies idle, none of what is forgotten', () => {
  const demands = [used('idle', 61), used('forgotten', 1441), used('quiet', 30), used('busy', 0, 3), used('storm', 0, 50)]
  expect(Object.fromEntries(wantedSpares(demands, now, pool))).toEqual({ idle: 1, forgotten: 0, quiet: 2, busy: 5, storm: 8 })
})

it('gives the memory there is to what was used last', () => {
  const demands = [used('older', 20), used('newer', 10)]
  expect(Object.fromEntries(wantedSpares(demands, now, { ...pool, bytes: 39 }))).toEqual({ newer: 2, older: 1 })
  expect([...wantedSpares(demands, now, { ...pool, size: 0 }).values()]).toEqual([0, 0])
})

it('counts what a spare of each build holds: one too large leaves the memory to others', () => {
  const demands = [used('huge', 1, 0, 200), used('large', 2, 0, 60), used('small', 3)]
  expect(Object.fromEntries(wantedSpares(demands, now, { size: 2, bytes: 100 }))).toEqual({ huge: 0, large: 1, small: 2 })
})

it('never wants more memory than it may have', () => {
  const demand = fc.record({
    buildId: fc.string(),
    lastAskedAt: fc.nat({ max: now }),
    asked: fc.nat({ max: 1000 }),
    bytesPerSpare: fc.integer({ min: 1, max: 100 }),
  })
  fc.assert(
    fc.property(fc.uniqueArray(demand, { selector: ({ buildId }) => buildId }), fc.nat(), fc.nat({ max: 20 }), (demands, bytes, size) => {
      const wanted = wantedSpares(demands, now, { size, bytes })
      const held = demands.map(({ buildId, bytesPerSpare }) => (wanted.get(buildId) ?? 0) * bytesPerSpare)
      expect(held.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(bytes)
    }),
  )
})
