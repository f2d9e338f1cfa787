import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile, readdir, rm } from 'node:fs/promises'
import path from 'node:path'

import { afterEach, describe, expect, it } from 'vitest'

import { parseMounts } from './mounts.ts'
import { openVolume } from './open-volume.ts'
import { TrialMachine, isRoot, searchPath } from './trial-machine.ts'

const machine = new TrialMachine()
const children: ChildProcess[] = []
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await once(child, 'close')
  }
  await machine.clear()
})

const prelude = `
  const [module, dataDirectory, path] = process.argv.slice(1)
  const { openVolume } = await import(module)
  const options = { dataDirectory, size: 1024, searchPath: path.split(':'), tell: () => undefined }
`

function start(program: string, dataDirectory: string): ChildProcess {
  const module = path.join(import.meta.dirname, 'open-volume.ts')
  const args = ['--input-type=module', '--eval', prelude + program, module, dataDirectory, searchPath.join(':')]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  return child
}

async function firstWords(child: ChildProcess): Promise<void> {
  if (child.stdout) await once(child.stdout, 'data')
}

/** Makes, closes and removes volumes for ever; says so once, when it begins. */
const maker = `
  import { rm } from 'node:fs/promises'
  process.stdout.write('begins')
  for (;;) {
    await (await openVolume(options)).close()
    await rm(dataDirectory + '/volume.img')
  }`

async function expectOne(dataDirectory: string): Promise<void> {
  expect((await machine.devicesOf(path.join(dataDirectory, 'volume.img'))).length).toBe(1)
  const mounts = parseMounts(await readFile('/proc/self/mountinfo', 'utf8'))
  expect(mounts.filter(({ mountPoint }) => mountPoint === path.join(dataDirectory, 'volume')).length).toBe(1)
}

describe.skipIf(!isRoot)('a volume in a file (needs root)', () => {
  it('kill -9 at any moment of making, mounting and closing: the next start has a whole volume on one device', async () => {
    for (let round = 0; round < 8; round += 1) {
      const directory = await machine.directory()
      const child = start(maker, directory)
      await firstWords(child)
      // Spread over a life of about 0.2 s; where exactly it dies is left to chance.
      const until = performance.now() + round * 30
      while (performance.now() < until) await new Promise((resolve) => void setImmediate(resolve))
      child.kill('SIGKILL')
      await once(child, 'close')
      // A volume that was made and mounted, whose file was then removed by the test, is no case of its own.
      const volume = await openVolume(machine.options(directory))
      expect(volume).toMatchObject({ kind: 'loop', shares: true })
      await expectOne(directory)
      expect(await readdir(directory)).toStrictEqual(['volume', 'volume.img', 'volume.lock'])
      await volume.close()
    }
    expect(machine.told).toStrictEqual([])
  }, 120_000)

  it('several starts at once get the same one, on one device', async () => {
    for (let round = 0; round < 3; round += 1) {
      const directory = await machine.directory()
      const program = `await openVolume(options); process.stdout.write('open')`
      const starts = Array.from({ length: 4 }, () => start(program, directory))
      const here = [openVolume(machine.options(directory)), openVolume(machine.options(directory))]
      const [volumes] = await Promise.all([Promise.all(here), ...starts.map((child) => once(child, 'close'))])
      expect(starts.map(({ exitCode }) => exitCode)).toStrictEqual([0, 0, 0, 0])
      for (const volume of volumes) expect(volume).toMatchObject({ kind: 'loop', shares: true })
      await expectOne(directory)
    }
  }, 120_000)

  it('one that is mounted in another mount namespace is the same one here, also when that ends first', async () => {
    const directory = await machine.directory()
    await (await openVolume(machine.options(directory))).close()
    expect(await machine.leftAfterDetaching(path.join(directory, 'volume.img'))).toStrictEqual([])
    const device = await machine.attach(path.join(directory, 'volume.img'))
    const script = 'mount "$0" "$1" && echo there > "$1"/written && sync -f "$1" && echo mounted && exec sleep 1000'
    const elsewhere = spawn('unshare', ['--mount', 'sh', '-c', script, device, path.join(directory, 'volume')], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    children.push(elsewhere)
    await firstWords(elsewhere)
    const volume = await openVolume(machine.options(directory))
    expect(await readFile(path.join(volume.directory, 'written'), 'utf8')).toBe('there\n')
    await expectOne(directory)
    // The device stays as long as the other one needs it.
    await volume.close()
    expect(await machine.devicesOf(path.join(directory, 'volume.img'))).toStrictEqual([device])
    const again = await openVolume(machine.options(directory))
    elsewhere.kill('SIGKILL')
    await once(elsewhere, 'close')
    expect(await readFile(path.join(again.directory, 'written'), 'utf8')).toBe('there\n')
    await expectOne(directory)
    await again.close()
    expect(machine.told).toStrictEqual([])
    await rm(path.join(directory, 'volume.img'))
  })
})
