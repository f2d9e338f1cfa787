import * as fc from 'fast-check'
import { expect, it } from 'vitest'

import { drivenWorld } from './testing/driven-world.ts'
import { Model, mishap } from './testing/index.ts'
import { World } from './testing/world.ts'

it('keeps its promises over any sequence of calls, together and alone, crashes and restarts', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(mishap, { minLength: 1, maxLength: 14 }), async (sequence) => {
      await using world = await World.open({ memoryLimitMiB: 1_000_000, maxSandboxes: 1000 })
      const model = new Model(drivenWorld(world))
      await model.happens({ what: 'create' })
      for (const each of sequence) {
        await model.happens(each)
        await model.check()
        await checkLooseEnds(world)
      }
      await world.restart()
      await model.check()
      // No image is on its way out any more.
      const named = world.store.allImages().map(({ name }) => name)
      expect(new Set(await world.imageFiles())).toEqual(new Set(named.filter((name) => !isTemplate(world, name))))
    }),
    { numRuns: 150 },
  )
})

const isTemplate = ({ store }: World, image: string): boolean => store.allTemplates().some((build) => build.image.name === image)

/** Every process belongs to a record, in its state; what runs can be reached, what sleeps cannot. */
async function checkLooseEnds({ store, engine, life }: World): Promise<void> {
  const records = store.allSandboxes()
  const carried = records.flatMap(({ execution, state }) =>
    execution === null ? [] : [[execution, state === 'running' ? 'running' : 'frozen']],
  )
  const listed = (await engine.list()).map(({ execution, status }) => [execution, status])
  expect(Object.fromEntries(listed)).toEqual(Object.fromEntries(carried))
  for (const { id, state } of records)
    expect([id, typeof life.routes.of(id)?.address]).toEqual([id, state === 'running' ? 'string' : 'object'])
}

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
