import { expect, it } from 'vitest'

import { endWhenIdle, idleTimeoutOf } from './idle.ts'

const record = { startedAt: 1000, endAt: 3_601_000, metadata: { idle_timeout: '60' } }

it('I1 reads seconds, 60 or more, and refuses anything else with the name of the field', () => {
  expect([idleTimeoutOf({}), idleTimeoutOf({ idle_timeout: '60' }), idleTimeoutOf({ idle_timeout: '3600' })]).toEqual([undefined, 60, 3600])
  for (const idle_timeout of ['59', '0', '-60', '60.5', 'x', '', '1e3']) {
    expect(() => idleTimeoutOf({ idle_timeout })).toThrow(
      expect.objectContaining({ kind: 'invalid_argument', message: expect.stringMatching(/idle_timeout/) }),
    )
  }
})

it('I2 I3 ends a minute after the last use, counted from its start; never while something is open; never after its end', () => {
  expect(endWhenIdle(record, undefined)).toBe(61_000)
  expect(endWhenIdle(record, { open: 0, lastAt: 50_000 })).toBe(110_000)
  expect(endWhenIdle(record, { open: 1, lastAt: 50_000 })).toBe(record.endAt)
  expect(endWhenIdle(record, { open: 0, lastAt: 3_600_000 })).toBe(record.endAt)
  expect(endWhenIdle({ ...record, metadata: {} }, undefined)).toBe(record.endAt)
})
