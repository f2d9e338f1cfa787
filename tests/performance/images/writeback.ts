import { readFile, writeFile } from 'node:fs/promises'

import { Sandbox } from 'e2b'

import type { Figure } from '../figures.ts'
import { type Mode, inMode } from './modes.ts'
import { beside } from './sleeping.ts'
import { order, startToucher } from './toucher.ts'

/** As docs/volume.md advises for a machine that serves sandboxes only. */
const advised = { dirty_writeback_centisecs: '0', dirty_background_ratio: '60', dirty_ratio: '80' }
const mebibyte = 1024 * 1024

/** One gigabyte written to over and over for 40 s: how often, the longest round, and what goes to the disk meanwhile. */
export async function writeback(): Promise<Figure[]> {
  const copied = await measure('copied')
  const asFound = await measure('shared')
  const tuned = await withAdvice(() => measure('shared'))
  return [
    beside('1 GiB dirtied over and over, kernel as found', [asFound.loops], [copied.loops], '≥ 0.9 ×', 'loops/s'),
    beside('the longest loop', [asFound.worst], [copied.worst], 'reported'),
    beside('written to the disk', [asFound.written], [copied.written], 'reported', 'MiB/s'),
    beside('1 GiB dirtied over and over, settings as advised', [tuned.loops], [copied.loops], '≥ 0.9 ×', 'loops/s'),
    beside('the longest loop', [tuned.worst], [copied.worst], '< 300 ms'),
    beside('written to the disk', [tuned.written], [copied.written], 'reported', 'MiB/s'),
  ]
}

const measure = (mode: Mode) =>
  inMode(mode, { TORPOR_MEMORY_MIB: '1536' }, async () => {
    const sandbox = await Sandbox.create({ timeoutMs: 3_600_000 })
    await startToucher(sandbox, 1024)
    const before = await writtenBytes()
    const [loops = Number.NaN, worst = Number.NaN] = (await order(sandbox, 'loops')).split(' ').map(Number)
    return { loops, worst, written: ((await writtenBytes()) - before) / 40 / mebibyte }
  })

/** To the machine's disks, without those that lie in files of others. */
async function writtenBytes(): Promise<number> {
  const lines = (await readFile('/proc/diskstats', 'utf8')).split('\n').map((line) => line.trim().split(/\s+/))
  const disks = lines.filter(([, , name]) => /^([vsh]d[a-z]+|nvme\d+n\d+)$/.test(name ?? ''))
  return disks.reduce((sum, fields) => sum + Number(fields[9] ?? 0) * 512, 0)
}

async function withAdvice<T>(work: () => Promise<T>): Promise<T> {
  const place = (name: string): string => `/proc/sys/vm/${name}`
  const found = await Promise.all(Object.keys(advised).map(async (name) => [name, (await readFile(place(name), 'utf8')).trim()] as const))
  try {
    for (const [name, value] of Object.entries(advised)) await writeFile(place(name), value)
    return await work()
  } finally {
    for (const [name, value] of found) await writeFile(place(name), value)
  }
}
