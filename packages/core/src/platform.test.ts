import * as fc from 'fast-check'
import { expect, it } from 'vitest'

import { Model, happening } from './testing/model.ts'
import { World } from './testing/world.ts'

it('keeps its promises over any sequence of calls, crashes and restarts', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(happening, { minLength: 1, maxLength: 14 }), async (sequence) => {
      await using world = await World.open({ memoryLimitMiB: 1_000_000 })
      const model = new Model(world)
      await model.happens({ what: 'create' })
      for (const each of sequence) {
        await model.happens(each)
        await model.check()
      }
      await world.restart()
      await model.check()
      // No image is on its way out any more.
      expect(await world.imageFiles()).toEqual(model.images)
    }),
    { numRuns: 60 },
  )
})

it('records how each sandbox lived', async () => {
  await using world = await World.open()
  const { id } = await world.create()
  await world.useCases.pauseSandbox(id)
  await world.useCases.connectSandbox(id)
  await world.useCases.killSandbox(id)
  expect(world.events(id).map(({ name, reason }) => `${name} (${reason})`)).toEqual([
    'created (api)',
    'pausing (api)',
    'paused (api)',
    'resumed (api)',
    'killed (api)',
  ])
})
