import { readFileSync } from 'node:fs'

import { Sandbox } from 'e2b'

import { hostOfThisProcess } from './crowd.ts'
import { type Figure, timed } from './figures.ts'
import { inWorld, mebibyte } from './world.ts'

const [count, atOnce] = [100, 8]

/** Sandboxes go to sleep and wake in a random order for so long. Any failure ends it. */
export const soak = (seconds: number): Promise<Figure[]> =>
  inWorld({ TORPOR_MEMORY_OVERCOMMIT: '20', TORPOR_WARM_POOL: '0', TORPOR_WARM_MEMORY: '2048' }, async () => {
    const ids: string[] = []
    while (ids.length < count)
      ids.push((await Sandbox.create({ timeoutMs: 3_600_000, metadata: { number: String(ids.length) } })).sandboxId)
    const [pauses, wakes, server, host]: number[][] = [[], [], [], []]
    const busy = new Set<string>()
    const pid = hostOfThisProcess()
    const end = performance.now() + seconds * 1000
    const worker = async (): Promise<void> => {
      while (performance.now() < end) {
        const id = ids[Math.floor(Math.random() * ids.length)] ?? ''
        if (busy.has(id)) continue
        busy.add(id)
        pauses?.push(await timed(() => Sandbox.pause(id)))
        const counted = await timed(async () => {
          const sandbox = await Sandbox.connect(id)
          if ((await sandbox.commands.run('hostname')).stdout.trim() !== id) throw new Error(`${id} is not itself`)
        })
        wakes?.push(counted)
        server?.push(process.memoryUsage().rss / mebibyte)
        host?.push(residentMebibytes(pid))
        busy.delete(id)
      }
    }
    await Promise.all(Array.from({ length: atOnce }, worker))
    const quarter = (samples: readonly number[] = [], from = 0): number[] =>
      samples.slice(Math.floor(samples.length * from), Math.floor(samples.length * (from + 0.25)))
    const grown = (name: string, samples: readonly number[] = []): Figure => ({
      name: `memory of the ${name}, last quarter`,
      unit: 'MiB',
      samples: quarter(samples, 0.75),
      yardstick: { name: 'second quarter', samples: quarter(samples, 0.25) },
      target: 'flat',
    })
    return [
      { name: `${count} sandboxes, ${atOnce} at once, ${seconds} s: pause`, unit: 'ms', samples: pauses ?? [], target: 'no failure' },
      { name: 'wake → first command’s output', unit: 'ms', samples: wakes ?? [], target: 'no failure' },
      grown('server', server),
      grown('engine host', host),
    ]
  })

const residentMebibytes = (pid: number): number => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
