import type { Step } from '@torpor/core'
import type { TestWorld } from '@torpor/testkit'

import { inWorld } from '../world.ts'

/** Images share blocks with memory, or bytes are copied. */
export type Mode = 'shared' | 'copied'

const settingsOf: Readonly<Record<Mode, Readonly<Record<string, string>>>> = {
  shared: { TORPOR_VOLUME_SIZE: 'auto' },
  copied: { TORPOR_VOLUME_SIZE: 'off' },
}

/** When the server was last at a step, in milliseconds. */
export type Reached = ReadonlyMap<Step, number>

/** A world of that mode, in which nothing else is made, and the times of its steps. */
export function inMode<T>(
  mode: Mode,
  settings: Readonly<Record<string, string>>,
  work: (world: TestWorld, reached: Reached) => Promise<T>,
): Promise<T> {
  const reached = new Map<Step, number>()
  const note = (step: Step): void => void reached.set(step, performance.now())
  return inWorld({ TORPOR_WARM_POOL: '0', ...settingsOf[mode], ...settings }, (world) => work(world, reached), note)
}

/** Milliseconds between two steps. */
export const between = (reached: Reached, from: Step, to: Step): number =>
  (reached.get(to) ?? Number.NaN) - (reached.get(from) ?? Number.NaN)
