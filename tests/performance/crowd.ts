import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'

import { openStore } from '@torpor/store-sqlite'
import type { TestWorld } from '@torpor/testkit'
import { Sandbox } from 'e2b'

import { type Figure, repeat, timed } from './figures.ts'
import { inWorld } from './world.ts'

const [running, asleep, watched] = [30, 1000, 20_000]

/** Many records and some sandboxes that run: what a page of the list takes, and what looking after the running ones costs. */
export const crowd = (): Promise<Figure[]> =>
  inWorld(
    { TORPOR_WARM_POOL: '0', TORPOR_MEMORY_OVERCOMMIT: '20', TORPOR_MAX_SANDBOXES: '5000', TORPOR_DISK_RESERVE_MIB: '64' },
    async (world) => {
      const before = await shareOfCore()
      for (let count = 0; count < running; count += 1) await Sandbox.create({ timeoutMs: 3_600_000 })
      const withCrowd = await shareOfCore()
      await putToSleep(world)
      const samples = await repeat(50, () => timed(() => list(world)))
      const bare = await repeat(50, () => timed(() => health(world)))
      return [
        {
          name: `server and engine host, looking after ${running} idle sandboxes`,
          unit: '% of a core',
          samples: [withCrowd],
          yardstick: { name: 'after none', samples: [before] },
          target: '≤ 3 % more',
        },
        {
          name: `a page of 1000 records of ${running + asleep}`,
          unit: 'ms',
          samples,
          yardstick: { name: 'GET /health', samples: bare },
          target: '≤ 50 ms',
        },
      ]
    },
  )

/** What this process (the server is in it) and its engine host take of one core while nobody asks for anything. */
async function shareOfCore(): Promise<number> {
  const host = hostOfThisProcess()
  const taken = (): number => {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000 + processorMilliseconds(host)
  }
  const before = taken()
  await new Promise((resolve) => setTimeout(resolve, watched))
  return ((taken() - before) / watched) * 100
}

/** One real sleeper, and copies of its record. */
async function putToSleep(world: TestWorld): Promise<void> {
  const sandbox = await Sandbox.create()
  await sandbox.pause()
  const store = openStore(path.join(world.dataDirectory, 'torpor.db'))
  const record = store.getSandbox(sandbox.sandboxId)
  if (!record) throw new Error('the sleeper has no record')
  for (let count = 1; count < asleep; count += 1) {
    const id = `i${record.id.slice(1, -4)}${String(count).padStart(4, '0')}`
    store.insertSandbox({ ...record, id, execution: null, metadata: { user: `u${count}`, purpose: 'one of a crowd' } })
  }
  store.close()
}

const ask = async (world: TestWorld, place: string): Promise<Response> => {
  const response = await fetch(`${world.url}${place}`, { headers: { 'x-api-key': world.apiKey } })
  if (!response.ok) throw new Error(`${place}: ${response.status}`)
  return response
}

const health = (world: TestWorld): Promise<string> => ask(world, '/health').then((response) => response.text())

async function list(world: TestWorld): Promise<void> {
  const page: unknown = await (await ask(world, '/v2/sandboxes?limit=1000')).json()
  if (!Array.isArray(page) || page.length !== 1000) throw new Error('not a page of 1000')
}

/** The engine host is a child of the process that the server runs in. */
export function hostOfThisProcess(): number {
  const isHost = (pid: string): boolean =>
    statOf(pid)[1] === String(process.pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('torpor-engine\0serve')
  const found = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const host = found.find((pid) => {
    try {
      return isHost(pid)
    } catch {
      return false
    }
  })
  if (host === undefined) throw new Error('this process has no engine host')
  return Number(host)
}

/** proc(5): user and system time in ticks of 10 ms. */
const processorMilliseconds = (pid: number): number => (Number(statOf(String(pid))[11]) + Number(statOf(String(pid))[12])) * 10

/** The fields of /proc/<pid>/stat after the name, from the state on. */
const statOf = (pid: string): string[] => (readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1) ?? '').split(' ')
