import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'

import { type Step, steps } from '@torpor/core'
import { type MortalServer, bootMortal, imagesOf, mountsBelow } from '@torpor/testkit'
import { Sandbox, Template } from 'e2b'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const counter = `
import os, time
n = 0
while True:
    n += 1
    open('/dev/shm/count.new', 'w').write(str(n))
    os.rename('/dev/shm/count.new', '/dev/shm/count')
    time.sleep(0.005)
`

const count = async (sandbox: Sandbox): Promise<number> => Number(await sandbox.files.read('/dev/shm/count'))

/** A sandbox with a process that counts in memory. */
async function counting(): Promise<Sandbox> {
  const sandbox = await Sandbox.create({ timeoutMs: 600_000 })
  await sandbox.files.write('counter.py', counter)
  await sandbox.commands.run('nohup python3 counter.py >/dev/null 2>&1 &')
  await expect.poll(() => count(sandbox).catch(() => 0), { timeout: 20_000 }).toBeGreaterThan(0)
  return sandbox
}

const post = (place: string, body: object): Promise<Response> =>
  fetch(`${process.env['E2B_API_URL']}/sandboxes/${place}`, {
    method: 'POST',
    headers: { 'x-api-key': process.env['E2B_API_KEY'] ?? '', 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })

/** No step of it is known already. */
const recipe = () => Template().fromTemplate('base').runCmd(`true ${performance.now()}`).setStartCmd('sleep 1000', 'true')

/** What is asked for when the server dies; of a sandbox that counts. */
const works = {
  create: () => Sandbox.create(),
  pause: (sandbox: Sandbox) => sandbox.pause(),
  resume: (sandbox: Sandbox) => sandbox.connect(),
  reboot: (sandbox: Sandbox) => sandbox.connect({ onResume: 'reboot' }),
  capture: (sandbox: Sandbox) => sandbox.createSnapshot(),
  snapshot: (sandbox: Sandbox) => sandbox.createSnapshot(),
  clone: (sandbox: Sandbox) => post(`${sandbox.sandboxId}/clone`, { count: 2 }),
  reset: (sandbox: Sandbox) => post(`${sandbox.sandboxId}/reset`, {}),
  kill: (sandbox: Sandbox) => sandbox.kill(),
  build: () => Template.build(recipe(), 'mortal'),
} satisfies Record<keyof typeof steps, (sandbox: Sandbox) => Promise<unknown>>
type Work = keyof typeof works
const all: readonly Work[] = ['create', 'pause', 'resume', 'reboot', 'capture', 'snapshot', 'clone', 'reset', 'kill', 'build']
const cases = all.flatMap((work) => steps[work].map((step): [Work, Step] => [work, step]))

describe.each(['frozen', 'image'] as const)('kill -9 of the server at any step of its works, resuming from the %s', (tier) => {
  let server: MortalServer
  beforeAll(async () => {
    server = await bootMortal({ TORPOR_WARM_POOL: '0', ...(tier === 'image' && { TORPOR_WARM_MEMORY: '0' }) })
    Object.assign(process.env, server.env)
  })
  afterAll(async () => {
    await server?.close()
    await server?.remove()
  })

  // What does not differ between the tiers is tried once.
  test.each(cases.filter(([work]) => tier === 'frozen' || isWaking(work)))(
    '%s, at "%s": nothing is lost, nothing is left over, and the next call gets a right answer',
    { timeout: 60_000 },
    async (work, step) => {
      if (!isOnTheWay(step, tier)) return
      const sandbox = await counting()
      if (isWaking(work)) await asleep(sandbox)
      if (work === 'reset') await sandbox.createSnapshot()
      const before = isWaking(work) ? 0 : await count(sandbox)
      await server.dieAt(step)
      const asked = works[work](sandbox).catch((error: unknown) => error)
      await server.death
      await asked
      await server.restart()
      expect(await goesOn(sandbox, work, before)).toBe(true)
      await killAll()
      await expectNothingLeft()
    },
  )

  /** Paused, and in the tier that is asked for: without a budget the frozen process is given up soon after the call's answer. */
  async function asleep(sandbox: Sandbox): Promise<void> {
    await sandbox.pause()
    const held = (): string[] => (tier === 'image' ? readdirSync(path.join(server.dataDirectory, 'executions')) : [])
    await expect.poll(held, { timeout: 20_000 }).toEqual([])
  }

  /** What there is answers under its own name and has lost nothing; what was to be killed may be gone. */
  async function goesOn(sandbox: Sandbox, work: string, before: number): Promise<boolean> {
    const isThere = await Sandbox.getInfo(sandbox.sandboxId).then(
      () => true,
      () => false,
    )
    if (!isThere) return work === 'kill'
    await sandbox.connect()
    if (work === 'reboot' && !(await sandbox.files.exists('/dev/shm/count'))) return sandbox.files.exists('counter.py')
    const now = await count(sandbox)
    expect(now).toBeGreaterThanOrEqual(work === 'reset' ? 1 : before)
    await expect.poll(() => count(sandbox)).toBeGreaterThan(now)
    for (const { sandboxId } of await listed()) {
      const other = await Sandbox.connect(sandboxId)
      expect((await other.commands.run('hostname')).stdout.trim()).toBe(sandboxId)
    }
    return true
  }

  async function listed() {
    const paginator = Sandbox.list()
    return paginator.nextItems()
  }

  async function killAll(): Promise<void> {
    await Promise.all((await listed()).map(({ sandboxId }) => Sandbox.kill(sandboxId)))
    const snapshots = await Sandbox.listSnapshots().nextItems()
    await Promise.all(snapshots.map(({ snapshotId }) => Sandbox.deleteSnapshot(snapshotId)))
    // A template is deleted the same way.
    await Sandbox.deleteSnapshot('mortal')
  }

  /** Only the template's image, layers for builds to come, and the server itself. */
  async function expectNothingLeft(): Promise<void> {
    const executions = (): string[] => readdirSync(path.join(server.dataDirectory, 'executions'))
    const images = (): string[] => readdirSync(imagesOf(server.dataDirectory)).filter((name) => !name.startsWith('layer-'))
    await expect.poll(() => [executions(), images().length], { timeout: 20_000 }).toEqual([[], 1])
    expect(mountsBelow(server.dataDirectory)).toEqual([])
    const number = readdirSync('/run/torpor').find((name) => ownerOf(name) === server.dataDirectory)
    const cgroup = ['/sys/fs/cgroup/memory', '/sys/fs/cgroup'].map((root) => path.join(root, `torpor${number}`))
    expect(cgroup.flatMap((place) => executionsIn(place))).toEqual([])
    // Spare slots are kept ready: few, whatever happened.
    const namespaces = execFileSync('ip', ['netns', 'list'], { encoding: 'utf8' }).split('\n')
    expect(namespaces.filter((line) => line.startsWith(`torpor${number}x`)).length).toBeLessThanOrEqual(8)
  }
})

const isWaking = (work: Work): boolean => work === 'resume' || work === 'reboot'

/** The two ways back pass different steps. */
const isOnTheWay = (step: Step, tier: 'frozen' | 'image'): boolean =>
  tier === 'frozen' ? step !== 'resume initialised' : step !== 'resume thawed'

const ownerOf = (name: string): string | undefined => {
  try {
    return readFileSync(path.join('/run/torpor', name, 'owner'), 'utf8')
  } catch {
    return undefined
  }
}

const executionsIn = (place: string): string[] => {
  try {
    return readdirSync(place).filter((name) => name.startsWith('x'))
  } catch {
    return []
  }
}
