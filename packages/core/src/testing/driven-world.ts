import type { Driven } from './model/model.ts'
import { type World, executionOf } from './world.ts'

/** The fake world as the model drives it. */
export const drivenWorld = (world: World): Driven => ({
  get useCases() {
    return world.useCases
  },
  create: async (template) => (await world.create(template === undefined ? {} : { template })).id,
  counter: async (id) => world.memoryOf(id).counter,
  count: async (id) => void (world.memoryOf(id).counter += 1),
  mishaps: {
    restart: async () => void (await world.restart()),
    crash: async (id) => {
      const record = world.record(id)
      await world.engine.crash(executionOf(record), 137)
      const { watched } = world.life
      if (record.state === 'running') await watched.until(() => world.store.getSandbox(id) === undefined)
      else await watched.recordThat(id, ({ execution }) => execution === null)
    },
    failCapture: (error) => world.engine.faults.failNext('capture', error),
  },
})
