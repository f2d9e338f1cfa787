import type { Log } from '@torpor/core'
import { expect, it } from 'vitest'

import { steadyClock } from './clock.ts'

it('goes on steadily when the clock of the machine is set, and says so once per jump', () => {
  let [wall, steady] = [1_000_000, 50]
  const warnings: unknown[] = []
  const log: Log = { info: () => undefined, warn: (context) => void warnings.push(context), error: () => undefined }
  const clock = steadyClock(log, { wall: () => wall, steady: () => steady })
  const pass = (milliseconds: number, jump = 0): number => {
    wall += milliseconds + jump
    steady += milliseconds
    return clock.now()
  }
  expect([clock.now(), pass(1000), pass(1000, 3_600_000), pass(1000), pass(1000, -7_200_000), pass(1000, 3_600_000)]).toEqual([
    1_000_000, 1_001_000, 1_002_000, 1_003_000, 1_004_000, 1_005_000,
  ])
  expect(warnings).toEqual([{ driftMilliseconds: 3_600_000 }])
})
