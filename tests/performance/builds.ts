import { execFile } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

import { type TestWorld, sourceDirectory } from '@torpor/testkit'
import { Sandbox, Template } from 'e2b'

import { buildRegistry, openRegistry } from '../test-registry.ts'
import { type Figure, repeat, timed } from './figures.ts'
import { inWorld } from './world.ts'

const run = promisify(execFile)
const size = { cpuCount: 2, memoryMB: 2048 }

/** Five steps of a usual image that need no network; in a sandbox and in a plain chroot. */
const steps = [
  'mkdir -p /srv/app && cp -r /usr/share/doc /srv/app/documents',
  'python3 -m venv /srv/app/venv',
  'for i in $(seq 2000); do echo "int f$i(int x) { return x * $i; }"; done > /srv/app/many.c && gcc -O2 -c -o /srv/app/many.o /srv/app/many.c',
  'python3 -m compileall -q -f /srv/app/venv',
  'tar -czf /srv/app/documents.tar.gz -C /srv/app documents && rm -r /srv/app/documents',
]

/** Templates: their builds beside the same steps in a chroot, their base beside skopeo and umoci, and the command line's start. */
export const builds = async (directory: string): Promise<Figure[]> => {
  const registry = await layerRegistry(directory)
  try {
    return await inWorld({ TORPOR_INSECURE_REGISTRIES: registry.host, TORPOR_WARM_POOL: '0' }, async (world) => [
      ...(await coldAndCached(world, directory)),
      await pulled(world, registry.host, directory),
      await customCreate(),
      await commandLine(),
    ])
  } finally {
    registry.end()
  }
}

/** `salt` makes every step one that nobody has run. */
const template = (salt: string) =>
  steps.reduce((made, step) => made.runCmd(`: ${salt}; ${step}`, { user: 'root' }), Template().fromTemplate('base'))

async function coldAndCached(world: TestWorld, directory: string): Promise<Figure[]> {
  const plain: number[] = []
  const cold = await repeat(3, async (round) => {
    plain.push(await inChroot(world.artifacts.rootfs.directory, path.join(directory, `chroot${round}`)))
    return timed(() => Template.build(template(`cold ${round}`), 'bench', size))
  })
  const again = template('cold 2').runCmd('true')
  await Template.build(again, 'bench', size)
  const cached = await repeat(5, () => timed(() => Template.build(again, 'bench', size)))
  const seconds = (samples: readonly number[]): number[] => samples.map((milliseconds) => milliseconds / 1000)
  const yardstick = { name: 'the same steps in a chroot', samples: seconds(plain) }
  return [
    { name: 'cold build of five steps', unit: 's', samples: seconds(cold), yardstick, target: '≤ 2 ×' },
    { name: 'the same again, all known', unit: 's', samples: seconds(cached), target: '≤ 2 s' },
  ]
}

/** The steps alone: the copy of the root is not counted. */
async function inChroot(rootfs: string, place: string): Promise<number> {
  await run('cp', ['-a', rootfs, place])
  try {
    return await timed(async () => {
      for (const step of steps) await run('chroot', [place, '/bin/bash', '-l', '-c', step], { maxBuffer: 2 ** 26 })
    })
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}

/** An image of some hundred MB in thousands of files. */
async function layerRegistry(directory: string) {
  const program = path.join(directory, 'registry')
  await buildRegistry(program)
  const layer = path.join(directory, 'layer.tar')
  await run('tar', ['-cf', layer, '-C', '/', 'etc/passwd', 'etc/group', 'usr/include', 'usr/lib/python3', 'usr/lib/gcc', 'usr/share/perl'])
  return openRegistry(program, ['-layer', layer])
}

/** The image tool by itself, as a build calls it, with nothing fetched before. */
async function pulled(world: TestWorld, host: string, directory: string): Promise<Figure> {
  const theirs: number[] = []
  const samples = await repeat(3, async (round) => {
    const place = path.join(directory, `pulled${round}`)
    await mkdir(place)
    theirs.push(await timed(() => bySkopeo(host, place)))
    const milliseconds = await timed(() => byTool(world, host, place))
    await rm(place, { recursive: true, force: true })
    return milliseconds
  })
  return {
    name: 'image fetched and unpacked',
    unit: 'ms',
    samples,
    yardstick: { name: 'skopeo + umoci', samples: theirs },
    target: '≤ 1.3 ×',
  }
}

async function bySkopeo(host: string, place: string): Promise<void> {
  await run('skopeo', ['copy', '--src-tls-verify=false', `docker://${host}/team/app:v1`, `oci:${place}/image:v1`])
  await run('umoci', ['unpack', '--image', `${place}/image:v1`, `${place}/bundle`], { maxBuffer: 2 ** 26 })
}

async function byTool(world: TestWorld, host: string, place: string): Promise<void> {
  const access = { insecure: [host] }
  const { reference } = await tool(world, { command: 'resolve', reference: `${host}/team/app:v1`, ...access })
  const bounds = { maxBytes: 32 * 1024 ** 3, maxEntries: 4_000_000 }
  await tool(world, { command: 'unpack', reference, ...access, layersDirectory: `${place}/layers`, target: `${place}/root`, ...bounds })
}

/** The last line of what it answers. */
async function tool(world: TestWorld, request: object): Promise<{ reference?: string }> {
  const asked = run(path.join(world.artifacts.ociDir, 'torpor-oci'), [], { maxBuffer: 2 ** 26 })
  asked.child.stdin?.end(JSON.stringify(request))
  return JSON.parse((await asked).stdout.trim().split('\n').at(-1) ?? '')
}

async function customCreate(): Promise<Figure> {
  const create = (name: string): Promise<number> =>
    timed(async () => {
      const sandbox = await Sandbox.create(name)
      await sandbox.commands.run('true')
      void sandbox.kill()
    })
  await Template.build(Template().fromTemplate('base').runCmd('echo custom > ~/which'), 'custom', { cpuCount: 2, memoryMB: 1024 })
  const base: number[] = []
  const samples = await repeat(8, async () => {
    base.push(await create('base'))
    return create('custom')
  })
  return {
    name: 'restore of a custom template → first command',
    unit: 'ms',
    samples,
    yardstick: { name: 'of base', samples: base },
    target: 'equal',
  }
}

async function commandLine(): Promise<Figure> {
  const node: number[] = []
  const samples = await repeat(20, async () => {
    node.push(await timed(() => run(process.execPath, ['-e', '0'])))
    return timed(() => run(path.join(sourceDirectory, 'torpor'), ['--version']))
  })
  return { name: 'torpor --version', unit: 'ms', samples, yardstick: { name: 'node -e 0', samples: node }, target: '≤ 150 ms' }
}
