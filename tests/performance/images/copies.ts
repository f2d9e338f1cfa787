import { readFile } from 'node:fs/promises'

import { Sandbox } from 'e2b'

import { type Figure, timed } from '../figures.ts'
import { type Mode, inMode } from './modes.ts'
import { beside } from './sleeping.ts'
import { order, startToucher } from './toucher.ts'

const mebibyte = 1024 * 1024
const count = 10
const mib = 1024

/** Ten clones of one gigabyte: what each takes of time, and of the machine's memory while it is idle. */
export async function copies(): Promise<Figure[]> {
  const [shared, copied] = [await measure('shared'), await measure('copied')]
  return [
    beside(`${count} clones of ${mib} MiB, all answering; each`, shared.milliseconds, copied.milliseconds, '≤ create + 150 ms per core'),
    {
      name: `${count} creates at once from the template, all answering; each`,
      unit: 'ms',
      samples: shared.creates,
      yardstick: { name: 'bytes copied', samples: copied.creates },
      target: 'reported',
    },
    beside('memory of this machine per idle clone', shared.memory, copied.memory, '≤ 60 MiB', 'MiB'),
  ]
}

/** Room for bytes in the other mode as well. */
const settings = { TORPOR_MEMORY_MIB: String(mib + 256), TORPOR_MAX_MEMORY: '20480', TORPOR_WARM_MEMORY: '0' }

const measure = (mode: Mode) =>
  inMode(mode, settings, async () => {
    const creates: number[] = []
    const made: Sandbox[] = []
    creates.push(
      (await timed(() => answering(async () => made.push(...(await Promise.all(Array.from({ length: count }, () => Sandbox.create()))))))) /
        count,
    )
    await Promise.all(made.map((sandbox) => sandbox.kill()))
    const parent = await Sandbox.create({ timeoutMs: 3_600_000 })
    await startToucher(parent, mib)
    const sum = await order(parent, 'sum')
    const before = await taken()
    let clones: Sandbox[] = []
    const milliseconds = await timed(async () => {
      const outcomes = await parent.fork({ count, requestTimeoutMs: 600_000 })
      clones = outcomes.filter((outcome) => outcome instanceof Sandbox)
      await Promise.all(clones.map((each) => each.commands.run('true')))
    })
    if (clones.length !== count) throw new Error(`only ${clones.length} of ${count} clones`)
    const memory = ((await taken()) - before) / count / mebibyte
    if ((await order(clones[count - 1] ?? parent, 'sum')) !== sum) throw new Error('a clone has other memory')
    return { creates, milliseconds: [milliseconds / count], memory: [memory] }

    async function answering(make: () => Promise<unknown>): Promise<void> {
      await make()
      await Promise.all(made.map((each) => each.commands.run('true')))
    }
  })

/** Of this machine, what the kernel could not give to others at once, in bytes: clean file cache does not count. */
async function taken(): Promise<number> {
  const text = await readFile('/proc/meminfo', 'utf8')
  const of = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? Number.NaN) * 1024
  return of('MemTotal') - of('MemAvailable')
}
