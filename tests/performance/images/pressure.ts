import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'

import { Sandbox } from 'e2b'

import { type Figure, timed } from '../figures.ts'
import { inMode } from './modes.ts'
import { order, startToucher } from './toucher.ts'

const count = 20
const mib = 1024
/** Of this machine's memory, what is left to sandboxes. */
const leftBytes = 12 * 1024 ** 3

/** Twenty sandboxes of a gigabyte each on a machine with less: all must answer with what they had. */
export async function pressure(): Promise<Figure[]> {
  await using _ballast = await takeMemory()
  return await inMode(
    'shared',
    { TORPOR_MEMORY_MIB: String(mib + 256), TORPOR_MEMORY_OVERCOMMIT: '4', TORPOR_DISK_RESERVE_MIB: '64' },
    async () => {
      const sandboxes: Sandbox[] = []
      const sums: string[] = []
      for (let made = 0; made < count; made += 1) {
        const sandbox = await Sandbox.create({ timeoutMs: 3_600_000 })
        await startToucher(sandbox, mib)
        sums.push(await order(sandbox, 'sum'))
        sandboxes.push(sandbox)
      }
      const samples: number[] = []
      for (const [index, sandbox] of sandboxes.entries()) {
        samples.push(await timed(() => sandbox.commands.run('true')))
        if ((await order(sandbox, 'sum')) !== sums[index]) throw new Error('a sandbox has other memory')
      }
      const name = `${count} sandboxes of ${mib} MiB with ${leftBytes / 1024 ** 3} GiB for all: first command after a while`
      return [{ name, unit: 'ms', samples, target: 'all answer; none lost' }]
    },
  )
}

/** Holds what is too much. */
async function takeMemory(): Promise<AsyncDisposable> {
  const available = Number(/^MemAvailable:\s+(\d+)/m.exec(await readFile('/proc/meminfo', 'utf8'))?.[1]) * 1024
  const bytes = Math.max(0, available - leftBytes)
  const program = `import mmap, sys, time\nm = mmap.mmap(-1, ${bytes})\nfor p in range(0, ${bytes}, 4096): m[p] = 1\nprint('ready', flush=True)\nsys.stdin.read()`
  const holder = spawn('python3', ['-c', program], { stdio: ['pipe', 'pipe', 'inherit'] })
  await once(holder.stdout, 'data')
  return {
    [Symbol.asyncDispose]: async () => {
      const ended = once(holder, 'exit')
      holder.stdin.end()
      await ended
    },
  }
}
