import * as fc from 'fast-check'
import { expect, it } from 'vitest'

import { effectiveTimeout, endAfter, wakeTimeout } from './deadlines.ts'

const limits = { defaultTimeoutSeconds: 300, maxTimeoutSeconds: 86_400, maxRunSeconds: 86_400 }

it('L1 takes the default when nothing is asked for, and what is asked for up to the maximum', () => {
  expect([undefined, 0.5, 86_400].map((asked) => effectiveTimeout(asked, limits))).toEqual([300, 0.5, 86_400])
})

it.each([0, -1, 86_400.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('refuses %d', (asked) => {
  expect(() => effectiveTimeout(asked, limits)).toThrow(expect.objectContaining({ kind: 'invalid_argument', status: 400 }))
})

it('names the maximum in hours', () => {
  expect(() => effectiveTimeout(1e9, { defaultTimeoutSeconds: 300, maxTimeoutSeconds: 5400, maxRunSeconds: 86_400 })).toThrow(
    '1.5 hours (5400 seconds)',
  )
})

it('ends a whole number of milliseconds later', () => {
  fc.assert(
    fc.property(fc.nat(), fc.double({ min: 0.001, max: 86_400, noNaN: true }), (now, seconds) => {
      const end = endAfter(now, seconds, { startedAt: now, maxRunSeconds: 86_400 })
      expect([Number.isInteger(end), Math.abs(end - now - seconds * 1000) <= 0.5001]).toEqual([true, true])
    }),
  )
})

it('R7 R8 gives woken sandboxes five minutes or their own timeout, never more than the maximum', () => {
  expect([10, 300, 301, 1e9].map((original) => wakeTimeout(original, limits))).toEqual([300, 300, 301, 86_400])
  expect(wakeTimeout(10, { defaultTimeoutSeconds: 60, maxTimeoutSeconds: 60, maxRunSeconds: 86_400 })).toBe(60)
})

it('P28 never ends later than the continuous running time allows, whatever is asked for', () => {
  const run = { startedAt: 1000, maxRunSeconds: 100 }
  expect([endAfter(1000, 99, run), endAfter(1000, 101, run), endAfter(50_000, 60, run)]).toEqual([100_000, 101_000, 101_000])
})
