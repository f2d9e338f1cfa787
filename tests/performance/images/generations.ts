import { Sandbox } from 'e2b'

import { type Figure, timed } from '../figures.ts'
import { newestImage } from '../world.ts'
import { type Mode, inMode } from './modes.ts'
import { forgetImage, untilOnDiskOnly } from './sleeping.ts'
import { order, startToucher } from './toucher.ts'

const count = 30
const mib = 1024

/** Write a little, pause, wake from the image, again and again: whether the last ones are as quick as the first ones. */
export const generations = async (): Promise<Figure[]> => [...(await figuresOf('shared')), ...(await figuresOf('copied'))]

async function figuresOf(mode: Mode): Promise<Figure[]> {
  const { pauses, wakes } = await measure(mode)
  const edge = 5
  const figure = (what: string, samples: readonly number[]): Figure => ({
    name: `${mib} MiB, ${count} generations (${mode}): the last ${edge} ${what}`,
    unit: 'ms',
    samples: samples.slice(-edge),
    yardstick: { name: `the first ${edge}`, samples: samples.slice(0, edge) },
    target: '≤ 1.5 ×',
  })
  return [figure('pauses', pauses), figure('wakes → first command', wakes)]
}

const measure = (mode: Mode) =>
  inMode(mode, { TORPOR_WARM_MEMORY: '0', TORPOR_MEMORY_MIB: String(mib + 512) }, async (world) => {
    const sandbox = await Sandbox.create({ timeoutMs: 3_600_000 })
    await startToucher(sandbox, mib)
    await sandbox.pause()
    await sandbox.connect()
    const [pauses, wakes]: [number[], number[]] = [[], []]
    for (let round = 0; round < count; round += 1) {
      await order(sandbox, 'both')
      pauses.push(await timed(() => sandbox.pause()))
      await untilOnDiskOnly(world, sandbox.sandboxId)
      await forgetImage(await newestImage(world, sandbox.sandboxId))
      wakes.push(await timed(async () => (await Sandbox.connect(sandbox.sandboxId)).commands.run('echo ready')))
    }
    return { pauses, wakes }
  })
