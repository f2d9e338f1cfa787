import { execFile } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

import type { TestWorld } from '@torpor/testkit'
import { Sandbox } from 'e2b'

import { type Figure, repeat, timed } from '../figures.ts'
import { newestImage } from '../world.ts'
import { type Mode, between, inMode } from './modes.ts'
import { order, startToucher } from './toucher.ts'

const rounds = 5
const patterns = ['contiguous', 'scattered'] as const

/** Pauses again after a little was touched, and wakes from an image that no cache holds; both ways of keeping images in one run. */
export async function sleeping(mib: number): Promise<Figure[]> {
  const pauses = { shared: await pausesOf('shared', mib), copied: await pausesOf('copied', mib) }
  const wakes = { shared: await wakesOf('shared', mib), copied: await wakesOf('copied', mib) }
  const figures = patterns.flatMap((pattern): Figure[] => {
    const name = `${mib} MiB: pause again, 10 MiB ${pattern} touched`
    const of = (mode: Mode, what: 'whole' | 'frozen'): number[] => pauses[mode][pattern].map((times) => times[what])
    return [
      beside(name, of('shared', 'whole'), of('copied', 'whole'), '≤ 250 ms'),
      beside(`${name}: stands still`, of('shared', 'frozen'), of('copied', 'frozen'), '≤ 120 ms'),
    ]
  })
  return [...figures, beside(`${mib} MiB: wake from a cold image → first command`, wakes.shared, wakes.copied, '≤ 250 ms')]
}

export const beside = (name: string, samples: readonly number[], copied: readonly number[], target: string, unit = 'ms'): Figure => ({
  name,
  unit,
  samples,
  yardstick: { name: 'bytes copied', samples: copied },
  target,
})

interface Times {
  readonly whole: number
  readonly frozen: number
}

const pausesOf = (mode: Mode, mib: number) =>
  inMode(mode, { TORPOR_WARM_MEMORY: '16384', TORPOR_MEMORY_MIB: String(mib + 512) }, async (world, reached) => {
    const sandbox = await Sandbox.create({ timeoutMs: 3_600_000 })
    await startToucher(sandbox, mib)
    await sandbox.pause()
    await sandbox.connect()
    const found: Record<(typeof patterns)[number], Times[]> = { contiguous: [], scattered: [] }
    for (const pattern of patterns) {
      for (let round = 0; round < rounds; round += 1) {
        await untilItsOwn(world, sandbox.sandboxId)
        await order(sandbox, pattern)
        const whole = await timed(() => sandbox.pause())
        found[pattern].push({ whole, frozen: between(reached, 'pause flushed', 'pause captured') })
        await sandbox.connect()
      }
    }
    return found
  })

const wakesOf = (mode: Mode, mib: number): Promise<number[]> =>
  inMode(mode, { TORPOR_WARM_MEMORY: '0', TORPOR_MEMORY_MIB: String(mib + 512) }, async (world) => {
    const sandbox = await Sandbox.create({ timeoutMs: 3_600_000 })
    await startToucher(sandbox, mib)
    const sum = await order(sandbox, 'sum')
    const samples = await repeat(rounds, async () => {
      await sandbox.pause()
      await untilOnDiskOnly(world, sandbox.sandboxId)
      await forgetImage(await newestImage(world, sandbox.sandboxId))
      return timed(async () => (await Sandbox.connect(sandbox.sandboxId)).commands.run('echo ready'))
    })
    if ((await order(sandbox, 'sum')) !== sum) throw new Error('the memory is not what it was')
    return samples
  })

/** A frozen process is ended behind the pause. */
export async function untilOnDiskOnly(world: TestWorld, id: string): Promise<void> {
  while (world.useCases.getSandbox(id).execution !== null) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** A moment after a resume the image is removed, and what it shared with the sandbox is the sandbox's own. */
const untilItsOwn = async (world: TestWorld, id: string): Promise<void> => {
  while (world.useCases.getSandbox(id).image !== null) await new Promise((resolve) => setTimeout(resolve, 20))
}

/** Takes from this machine's kernel what it holds of the image: as after a long time without use. */
export async function forgetImage(image: string): Promise<void> {
  for (const name of await readdir(image)) await run('dd', [`if=${path.join(image, name)}`, 'iflag=nocache', 'count=0'])
}

const run = promisify(execFile)
