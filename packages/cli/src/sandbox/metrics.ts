import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'

import type { SandboxMetrics } from 'e2b'

import { mebibytes } from '../output/format.ts'
import { jsonLine, print } from '../output/print.ts'
import { table } from '../output/table.ts'
import type { ConnectionFlags } from '../remote/connection.ts'
import { withSession } from '../remote/session.ts'
import { exists } from './logs.ts'

export interface MetricFlags extends ConnectionFlags {
  readonly json?: boolean
  readonly follow?: boolean
}

/** The server samples every few seconds. */
const pollMilliseconds = 2000

/** What a sandbox used, oldest sample first; with `follow` from now on until it ends. */
export async function metrics(id: string, flags: MetricFlags): Promise<void> {
  await withSession(flags, async (session) => {
    const Sandbox = await session.sandboxes()
    if (flags.follow !== true) {
      const samples = await Sandbox.getMetrics(id, session.sdk)
      print(flags.json, samples, () => metricsTable(samples))
      return
    }
    let last = 0
    while (await exists(session, id)) {
      const samples = await Sandbox.getMetrics(id, { ...session.sdk, ...(last > 0 && { start: new Date(last) }) })
      const fresh = samples.filter(({ timestamp }) => timestamp.getTime() > last)
      if (fresh.length > 0) {
        process.stdout.write(flags.json === true ? fresh.map(jsonLine).join('') : rowsOf(fresh, last === 0))
        last = fresh.at(-1)?.timestamp.getTime() ?? last
      }
      await delay(pollMilliseconds)
    }
  })
}

const head = ['time', 'cpu', 'memory', 'cache', 'disk']
const widths = [24, 14, 20, 10, 24]

const cells = ({ timestamp, cpuUsedPct, cpuCount, memUsed, memTotal, memCache, diskUsed, diskTotal }: SandboxMetrics): string[] => [
  timestamp.toISOString(),
  `${cpuUsedPct.toFixed(1)} % of ${cpuCount}`,
  `${mebibytes(memUsed)} of ${mebibytes(memTotal)}`,
  mebibytes(memCache),
  `${mebibytes(diskUsed)} of ${mebibytes(diskTotal)}`,
]

export const metricsTable = (samples: readonly SandboxMetrics[]): string =>
  table(head, samples.map(cells), 'no samples yet: the first one comes after a few seconds')

/** Rows that come one by one cannot be measured together. */
function rowsOf(samples: readonly SandboxMetrics[], withHead: boolean): string {
  const rows = [...(withHead ? [head] : []), ...samples.map(cells)]
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, index) => cell.padEnd(widths[index] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('')
}
