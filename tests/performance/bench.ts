/**
 * `npm run bench`: the hot paths through the real SDK, each beside its yardstick in the same run. Prints Markdown tables for
 * docs/benchmarks.md. Words as arguments choose figures.
 */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { type TestWorld, imagesOf } from '@torpor/testkit'
import { Sandbox } from 'e2b'

import { Bare, commandAt, plainWrite } from './bare.ts'
import { builds } from './builds.ts'
import { clones, snapshotFreeze, warmCreate } from './copies.ts'
import { crowd } from './crowd.ts'
import { throughput } from './edge-load.ts'
import { type Figure, repeat, table, timed } from './figures.ts'
import { imageFigures } from './images/index.ts'
import { inside } from './inside.ts'
import { interpreter } from './interpreter.ts'
import { soak } from './soak.ts'
import { storage } from './storage.ts'
import { waking } from './waking.ts'
import { inWorld, mebibyte, newestImage, touch } from './world.ts'

const clock = `
import time
last = time.monotonic(); worst = 0
while True:
    now = time.monotonic(); worst = max(worst, now - last); last = now
    open('/dev/shm/worst', 'w').write(str(worst * 1000))
    time.sleep(0.001)
`

const directory = await mkdtemp(path.join(tmpdir(), 'torpor-bench-'))
const chosen = process.argv.slice(2)

const templateImage = async (world: TestWorld): Promise<string> => {
  const images = imagesOf(world.dataDirectory)
  return path.join(images, (await readdir(images))[0] ?? '', 'g1')
}

/** Create until the first command's output. */
const create = (): Promise<Figure[]> =>
  inWorld({}, async (world) => {
    await using bare = new Bare(path.join(directory, 'bare'), world.artifacts)
    const image = await templateImage(world)
    const ours: number[] = []
    const engine: number[] = []
    const commandLine: number[] = []
    for (let round = 0; round < 15; round += 1) {
      let sandbox: Sandbox | undefined
      ours.push(await timed(async () => (sandbox = await Sandbox.create()).commands.run('echo ready')))
      await sandbox?.kill()
      const first = await bare.prepare(1024)
      engine.push(await timed(() => bare.restore(first, image).then(() => commandAt(first.slot.address, 'echo ready'))))
      await bare.destroy(first)
      const second = await bare.prepare(1024)
      commandLine.push(await timed(() => bare.restoreByCommandLine(second, image).then(() => commandAt(second.slot.address, 'echo ready'))))
      await bare.destroyByCommandLine(second)
    }
    const name = 'create → first command’s output'
    return [
      { name, unit: 'ms', samples: ours, yardstick: { name: 'bare engine, same command', samples: engine }, target: '≤ 1.3 ×' },
      { name, unit: 'ms', samples: ours, yardstick: { name: 'runsc command line', samples: commandLine }, target: '< 1 ×' },
    ]
  })

const pause = (mib: number): Promise<Figure[]> =>
  inWorld({ TORPOR_MEMORY_MIB: String(mib + 512), TORPOR_WARM_MEMORY: '8192' }, async () => {
    const sandbox = await Sandbox.create({ timeoutMs: 3_600_000 })
    await sandbox.commands.run(touch(mib), { timeoutMs: 300_000 })
    const written: number[] = []
    const samples = await repeat(5, async () => {
      written.push(await timed(() => plainWrite(path.join(directory, 'yardstick'), mib * mebibyte)))
      const milliseconds = await timed(() => sandbox.pause())
      await sandbox.connect()
      return milliseconds
    })
    const yardstick = { name: 'write + sync of the same bytes', samples: written }
    return [{ name: `pause, ${mib} MiB touched`, unit: 'ms', samples, yardstick, target: `≤ ${(mib / 1024) * 4000} ms, ≤ 1.5 ×` }]
  })

const thaw = (): Promise<Figure[]> =>
  inWorld({ TORPOR_WARM_MEMORY: '8192' }, async () => {
    const sandbox = await Sandbox.create({ timeoutMs: 3_600_000 })
    await sandbox.files.write('clock.py', clock)
    const samples = await repeat(30, async () => {
      await sandbox.pause()
      return timed(() => Sandbox.connect(sandbox.sandboxId))
    })
    const gaps = await repeat(10, async () => {
      const handle = await sandbox.commands.run('python3 clock.py', { background: true, timeoutMs: 0 })
      await sandbox.commands.run('sleep 0.5')
      await sandbox.pause()
      await sandbox.connect()
      await sandbox.commands.run('sleep 0.2')
      const worst = Number((await sandbox.commands.run('cat /dev/shm/worst')).stdout)
      await sandbox.commands.kill(handle.pid)
      return worst
    })
    return [
      { name: 'connect, from the frozen tier', unit: 'ms', samples, target: '≤ 10 ms' },
      { name: 'freeze as seen inside: pause + connect at once', unit: 'ms', samples: gaps, target: 'reported' },
    ]
  })

const wakeFromImage = (): Promise<Figure[]> =>
  inWorld({ TORPOR_WARM_MEMORY: '0', TORPOR_MEMORY_MIB: '1536' }, async (world) => {
    await using bare = new Bare(path.join(directory, 'bare'), world.artifacts)
    const sandbox = await Sandbox.create({ timeoutMs: 3_600_000 })
    await sandbox.commands.run(touch(1024), { timeoutMs: 300_000 })
    const engine: number[] = []
    const samples = await repeat(5, async () => {
      await sandbox.pause()
      const image = await newestImage(world, sandbox.sandboxId)
      const prepared = await bare.prepare(1536)
      await dropFromCache(image)
      engine.push(
        await timed(() =>
          bare.restore(prepared, image).then(() => commandAt(prepared.slot.address, 'echo ready', world.tokenOf(sandbox.sandboxId))),
        ),
      )
      await bare.destroy(prepared)
      await dropFromCache(image)
      return timed(async () => (await Sandbox.connect(sandbox.sandboxId)).commands.run('echo ready'))
    })
    const yardstick = { name: 'bare restore, same command', samples: engine }
    return [{ name: 'connect from the image, 1 GiB → first command', unit: 'ms', samples, yardstick, target: '≤ 1200 ms, ≤ 1.5 ×' }]
  })

/** Both sides read the image from the disk: whoever comes second must not find it in memory. */
async function dropFromCache(image: string): Promise<void> {
  for (const name of await readdir(image)) await run('dd', [`if=${path.join(image, name)}`, 'iflag=nocache', 'count=0'])
}

const run = promisify(execFile)

/** PSS of every process below the server's cgroup-independent process trees: those that name our run directory. */
const idle = (): Promise<Figure[]> =>
  inWorld({ TORPOR_MAX_MEMORY: '40960' }, async () => {
    const before = await proportionalMemory()
    const sandboxes: Sandbox[] = []
    for (let count = 0; count < 20; count += 1) sandboxes.push(await Sandbox.create())
    const after = await proportionalMemory()
    return [
      { name: 'idle memory per sandbox (20 idle `base`)', unit: 'MiB', samples: [(after - before) / 20 / mebibyte], target: 'reported' },
    ]
  })

async function proportionalMemory(): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const sizes = await Promise.all(pids.map((pid) => memoryOfOurs(pid).catch(() => 0)))
  return sizes.reduce((sum, size) => sum + size, 0)
}

async function memoryOfOurs(pid: string): Promise<number> {
  const command = await readFile(`/proc/${pid}/cmdline`, 'utf8')
  if (!/torpor|gvisor|runsc|bench\.ts/.test(command)) return 0
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Pss:\s+(\d+)/m.exec(rollup)?.[1] ?? 0) * 1024
}

const edge = (): Promise<Figure[]> => inWorld({}, (world) => throughput(world))

const figures: Record<string, () => Promise<Figure[]>> = {
  create,
  'pause-512': () => pause(512),
  'pause-2048': () => pause(2048),
  thaw,
  image: wakeFromImage,
  idle,
  edge,
  snapshot: () => snapshotFreeze(path.join(directory, 'snapshot')),
  clones: () => clones(path.join(directory, 'clones')),
  warm: warmCreate,
  wake: () => waking(path.join(directory, 'waking')),
  builds: () => builds(directory),
  storage: () => storage(directory),
  crowd,
  ...imageFigures,
  inside: () =>
    inside(directory, {
      rounds: Number(process.env['TORPOR_BENCH_INSIDE_ROUNDS'] ?? 200),
      mib: Number(process.env['TORPOR_BENCH_INSIDE_MIB'] ?? 1024),
    }),
  interpreter: () => interpreter(directory),
  soak: () => soak(Number(process.env['TORPOR_BENCH_SOAK_SECONDS'] ?? 600)),
}

try {
  const results: Figure[] = []
  for (const [name, measure] of Object.entries(figures)) {
    if (chosen.length > 0 && !chosen.includes(name)) continue
    process.stderr.write(`${name} …\n`)
    results.push(...(await measure()))
  }
  const machine = `${cpus().length} × ${cpus()[0]?.model ?? '?'}, ${Math.round(totalmem() / 1024 ** 3)} GiB`
  process.stdout.write(`\n${new Date().toISOString().slice(0, 10)}, ${machine}\n\n${table(results)}\n`)
} finally {
  await rm(directory, { recursive: true, force: true })
}
