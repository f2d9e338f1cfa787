import path from 'node:path'

import { type TestWorld, imagesOf } from '@torpor/testkit'
import { Sandbox } from 'e2b'

import { Bare, commandAt } from './bare.ts'
import { type Figure, repeat, timed } from './figures.ts'
import { inWorld, touch } from './world.ts'

/** Writes the longest gap it has seen since it was last asked. */
const clock = `
import os, time
last = time.monotonic(); worst = 0
while True:
    now = time.monotonic(); worst = max(worst, now - last); last = now
    if os.path.exists('/dev/shm/again'): os.remove('/dev/shm/again'); worst = 0
    open('/dev/shm/worst', 'w').write(str(worst * 1000))
    time.sleep(0.001)
`

/** Room on the volume is promised to each: fifty have to fit. */
const manyAtOnce = { TORPOR_MEMORY_MIB: '512', TORPOR_DISK_RESERVE_MIB: '64' }

const imageOf = (world: TestWorld, owner: string): string => path.join(imagesOf(world.dataDirectory), owner, 'g1')

/** What a program inside sees of a snapshot, beside what the engine alone needs for the capture. */
export const snapshotFreeze = (directory: string): Promise<Figure[]> =>
  inWorld({ TORPOR_WARM_POOL: '0' }, async (world) => {
    await using bare = new Bare(path.join(directory, 'bare'), world.artifacts)
    const sandbox = await Sandbox.create({ timeoutMs: 3_600_000 })
    await sandbox.commands.run(touch(256), { timeoutMs: 300_000 })
    await sandbox.files.write('clock.py', clock)
    await sandbox.commands.run('nohup python3 clock.py >/dev/null 2>&1 &')
    const captures: number[] = []
    const samples = await repeat(10, async (round) => {
      await sandbox.files.write('/dev/shm/again', '')
      await sandbox.commands.run('sleep 0.3')
      const { snapshotId } = await sandbox.createSnapshot()
      await sandbox.commands.run('sleep 0.1')
      const worst = Number(await sandbox.files.read('/dev/shm/worst'))
      captures.push(await bareCapture(bare, imageOf(world, snapshotId.replace(':default', '')), path.join(directory, `capture${round}`)))
      await Sandbox.deleteSnapshot(snapshotId)
      return worst
    })
    const yardstick = { name: 'bare freeze + capture', samples: captures }
    return [{ name: 'longest gap seen inside during a snapshot, 256 MiB', unit: 'ms', samples, yardstick, target: '≤ 1.3 ×' }]
  })

async function bareCapture(bare: Bare, image: string, target: string): Promise<number> {
  const prepared = await bare.prepare(1024)
  await bare.restore(prepared, image)
  const milliseconds = await bare.capture(prepared, target)
  await bare.destroy(prepared)
  return milliseconds
}

/** Time until all clones of one parent answer a command. */
export const clones = (directory: string): Promise<Figure[]> =>
  inWorld({ TORPOR_WARM_POOL: '0', TORPOR_MEMORY_OVERCOMMIT: '20', ...manyAtOnce }, async (world) => {
    await using bare = new Bare(path.join(directory, 'bare'), world.artifacts)
    const parent = await Sandbox.create({ timeoutMs: 3_600_000 })
    const { snapshotId } = await parent.createSnapshot()
    const image = imageOf(world, snapshotId.replace(':default', ''))
    const token = world.tokenOf(parent.sandboxId)
    const restores = await repeat(5, () => bareRestores(bare, image, token, 10))
    const figures: Figure[] = []
    for (const [count, rounds] of [
      [1, 10],
      [10, 3],
      [50, 1],
    ] as const) {
      const samples = await repeat(rounds, async () => {
        let made: readonly Sandbox[] = []
        const milliseconds = await timed(async () => {
          const outcomes = await parent.fork({ count, requestTimeoutMs: 300_000 })
          made = outcomes.filter((outcome) => outcome instanceof Sandbox)
          await Promise.all(made.map((each) => each.commands.run('true')))
        })
        if (made.length !== count) throw new Error(`only ${made.length} of ${count} clones`)
        await Promise.all(made.map((each) => each.kill()))
        return milliseconds / count
      })
      const yardstick = { name: 'bare restore, two at a time, each', samples: restores }
      figures.push({ name: `${count} clones of an idle sandbox, all answering; each`, unit: 'ms', samples, yardstick, target: '≤ 1.3 ×' })
    }
    return figures
  })

async function bareRestores(bare: Bare, image: string, token: string, count: number): Promise<number> {
  const prepared = await Promise.all(Array.from({ length: count }, () => bare.prepare(512)))
  const left = [...prepared]
  const worker = async (): Promise<void> => {
    for (let next = left.pop(); next; next = left.pop()) {
      await bare.restore(next, image)
      await commandAt(next.slot.address, 'true', token)
    }
  }
  const milliseconds = await timed(() => Promise.all([worker(), worker()]))
  await Promise.all(prepared.map((each) => bare.destroy(each)))
  return milliseconds / count
}

/** From the pool, with time for it to be full again, and all at once. */
export const warmCreate = (): Promise<Figure[]> =>
  inWorld({ TORPOR_WARM_POOL: '4', TORPOR_MEMORY_OVERCOMMIT: '20', ...manyAtOnce }, async (world) => {
    const full = async (): Promise<void> => {
      while ((await world.useCases.inventory()).spares < 4) await new Promise((resolve) => setTimeout(resolve, 100))
      // What made the last one, and ended the sandbox before, has its end too: an idle machine is meant.
      await new Promise((resolve) => setTimeout(resolve, 1000))
    }
    const commands: number[] = []
    const samples = await repeat(20, async () => {
      await full()
      let sandbox: Sandbox | undefined
      const milliseconds = await timed(async () => (sandbox = await Sandbox.create()).commands.run('echo ready'))
      commands.push(await timed(async () => sandbox?.commands.run('echo ready')))
      await sandbox?.kill()
      return milliseconds
    })
    await full()
    const begun = performance.now()
    const burst = await Promise.all(
      Array.from({ length: 50 }, async () => {
        await (await Sandbox.create({ requestTimeoutMs: 120_000 })).commands.run('true', { timeoutMs: 120_000 })
        return performance.now() - begun
      }),
    )
    return [
      {
        name: 'create from the warm pool → first command’s output',
        unit: 'ms',
        samples,
        yardstick: { name: 'the same command again', samples: commands },
        target: '≤ 25 ms',
      },
      { name: '50 creates at once → each one’s first command', unit: 'ms', samples: burst, target: 'reported' },
    ]
  })
