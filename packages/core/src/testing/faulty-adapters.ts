import type { Agent } from '../ports/agent.ts'
import type { ImageStore, StagedImage } from '../ports/images.ts'
import type { Faults } from './faults.ts'

/** `committed` and `removed` come after the deed and before the caller hears of it. */
export type ImageStep = 'stage' | 'commit' | 'committed' | 'discard' | 'remove' | 'removed'
export type AgentStep = 'healthy' | 'init' | 'prepare' | 'startService' | 'endBiggest' | 'run' | 'writeFile'

/** The real image store, which fails or waits where the test wants it. */
export const faultyImages = (real: ImageStore, faults: Faults<ImageStep>): ImageStore => ({
  stage: async (...request) => {
    await faults.pass('stage')
    return faultyDraft(await real.stage(...request), faults)
  },
  locate: (image) => real.locate(image),
  verify: (image, options) => real.verify(image, options),
  usage: (image) => real.usage(image),
  diskBytes: (image) => real.diskBytes(image),
  remove: async (image) => {
    await faults.pass('remove')
    await real.remove(image)
    await faults.pass('removed')
  },
  sweep: (keep) => real.sweep(keep),
})

const faultyDraft = (draft: StagedImage, faults: Faults<ImageStep>): StagedImage => ({
  directory: draft.directory,
  commit: async () => {
    await faults.pass('commit')
    const image = await draft.commit()
    await faults.pass('committed')
    return image
  },
  discard: async () => {
    await faults.pass('discard')
    await draft.discard()
  },
})

/** The real agent client, which fails or waits where the test wants it. */
export const faultyAgent = (real: Agent, faults: Faults<AgentStep>): Agent => ({
  healthy: async (...request) => {
    await faults.pass('healthy')
    await real.healthy(...request)
  },
  init: async (...request) => {
    await faults.pass('init')
    await real.init(...request)
  },
  prepare: async (...request) => {
    await faults.pass('prepare')
    await real.prepare(...request)
  },
  startService: async (...request) => {
    await faults.pass('startService')
    await real.startService(...request)
  },
  run: async (...request) => {
    await faults.pass('run')
    return real.run(...request)
  },
  writeFile: async (...request) => {
    await faults.pass('writeFile')
    await real.writeFile(...request)
  },
  makeDirectory: (...request) => real.makeDirectory(...request),
  journal: (...request) => real.journal(...request),
  endBiggest: async (...request) => {
    await faults.pass('endBiggest')
    return real.endBiggest(...request)
  },
})
