import { describe, expect, it } from 'vitest'

import { ManualClock, settled } from '../testing/manual-clock.ts'
import { Loop } from './loop.ts'

function loopOver(pass: () => Promise<number>) {
  const clock = new ManualClock()
  const errors: unknown[] = []
  const log = { info: () => undefined, warn: () => undefined, error: (context: unknown) => void errors.push(context) }
  return { clock, errors, loop: new Loop('test', pass, { clock, log }) }
}

describe('a loop', () => {
  it('looks again when its pass said, at the latest after a minute', async () => {
    let passes = 0
    const waits = [500, Number.POSITIVE_INFINITY, -5]
    const { loop, clock } = loopOver(() => Promise.resolve(waits[passes++] ?? 1e6))
    loop.nudge()
    await settled()
    expect([passes, clock.untilNext]).toEqual([1, 500])
    await clock.advance(500)
    expect([passes, clock.untilNext]).toEqual([2, 60_000])
    await clock.advance(60_000)
    expect([passes, clock.untilNext]).toEqual([4, 60_000])
    await loop[Symbol.asyncDispose]()
  })

  it('looks once more after the pass in progress, however often it is nudged meanwhile', async () => {
    let passes = 0
    const gate = Promise.withResolvers<number>()
    const { loop } = loopOver(() => {
      passes += 1
      return gate.promise
    })
    for (let nudges = 0; nudges < 5; nudges += 1) loop.nudge()
    expect(passes).toBe(1)
    gate.resolve(1000)
    await settled()
    expect(passes).toBe(2)
    await loop[Symbol.asyncDispose]()
  })

  it('survives a pass that fails, and repeats it after a second', async () => {
    let passes = 0
    const { loop, clock, errors } = loopOver(() => {
      passes += 1
      return passes === 1 ? Promise.reject(new Error('fails')) : Promise.resolve(1000)
    })
    loop.nudge()
    await settled()
    expect([errors, clock.untilNext]).toEqual([[{ loop: 'test', error: new Error('fails') }], 1000])
    await clock.advance(1000)
    expect(passes).toBe(2)
    await loop[Symbol.asyncDispose]()
  })

  it('ends with the pass in progress, and never runs again', async () => {
    let passes = 0
    const gate = Promise.withResolvers<number>()
    const { loop, clock } = loopOver(() => {
      passes += 1
      return gate.promise
    })
    loop.nudge()
    loop.nudge()
    const ended = loop[Symbol.asyncDispose]()
    gate.resolve(10)
    await ended
    loop.nudge()
    await clock.advance(120_000)
    expect([passes, clock.untilNext]).toEqual([1, Number.POSITIVE_INFINITY])
  })
})
