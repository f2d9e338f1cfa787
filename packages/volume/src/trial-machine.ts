import { mkdir, mkdtemp, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'

import { findCommand } from '@torpor/setup'

import { sizeOf } from './file-system.ts'
import { parseDevices } from './loop-device.ts'
import { mountAt } from './mounts.ts'
import { type Run, looking } from './run-command.ts'
import type { VolumeOptions } from './volume.ts'

/** Loop devices and mounts are for root alone. */
export const isRoot = process.geteuid?.() === 0
export const searchPath: readonly string[] = ['/usr/sbin', '/usr/bin', '/sbin', '/bin']

/** Directories, disks and volumes for tests; `clear` takes back all of them, whatever the test left mounted. */
export class TrialMachine {
  readonly run: Run = looking(searchPath)
  /** What the operator was told. */
  readonly told: string[] = []
  readonly #made: string[] = []

  async directory(): Promise<string> {
    const made = await mkdtemp(path.join(tmpdir(), 'torpor-volume-'))
    this.#made.push(made)
    return made
  }

  /** A file system of its own, mounted as a directory. */
  disk = (mebibytes: number, ...mkfs: [string, ...string[]]): Promise<string> => this.diskWithSectors(512, mebibytes, ...mkfs)

  async diskWithSectors(sectorBytes: number, mebibytes: number, ...mkfs: [string, ...string[]]): Promise<string> {
    const directory = await this.directory()
    const [file, mountPoint] = [path.join(directory, 'volume.img'), path.join(directory, 'volume')]
    await writeFile(file, '')
    await truncate(file, mebibytes * 1024 ** 2)
    await mkdir(mountPoint)
    const device = await this.attach(file, '--sector-size', String(sectorBytes))
    await this.run(mkfs[0], ...mkfs.slice(1), device)
    await this.run('mount', device, mountPoint)
    this.#made.push(mountPoint)
    return mountPoint
  }

  attach = async (file: string, ...options: string[]): Promise<string> =>
    (await this.run('losetup', '--find', '--show', ...options, file)).trim()

  devicesOf = async (file: string): Promise<string[]> =>
    parseDevices(await this.run('losetup', '--json', '--output', 'NAME', '--associated', file))

  /** Waits until `file` has no device: one that somebody looks at meanwhile goes a little later. Gives those that are left after 10 s. */
  async leftAfterDetaching(file: string): Promise<string[]> {
    const deadline = performance.now() + 10_000
    for (;;) {
      const devices = await this.devicesOf(file)
      if (devices.length === 0 || performance.now() > deadline) return devices
      await delay(20)
    }
  }

  options(dataDirectory: string, size: VolumeOptions['size'] = 1024): VolumeOptions {
    return { dataDirectory, size, searchPath, tell: (message) => void this.told.push(message) }
  }

  /** A search path with the commands that a volume needs, less and more: `scripts` take the place of those of the system. */
  async commands(scripts: Readonly<Record<string, string | null>>): Promise<string[]> {
    const directory = await this.directory()
    for (const name of ['flock', 'losetup', 'mkfs.xfs', 'mount', 'umount', 'fstrim', 'xfs_growfs']) {
      const script = scripts[name]
      const file = findCommand(name, searchPath)
      if (script !== undefined && script !== null) await writeFile(path.join(directory, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 })
      else if (script !== null && file !== undefined) await symlink(file, path.join(directory, name))
    }
    return [directory]
  }

  async clear(): Promise<void> {
    this.told.length = 0
    // What was made within another comes later than that.
    for (const directory of this.#made.splice(0).toReversed()) await this.#clear(directory)
  }

  async #clear(directory: string): Promise<void> {
    const [file, mountPoint] = [path.join(directory, 'volume.img'), path.join(directory, 'volume')]
    while ((await mountAt(mountPoint)) !== undefined) await this.run('umount', '--lazy', mountPoint)
    for (const device of (await sizeOf(file)) === undefined ? [] : await this.devicesOf(file)) {
      await this.run('losetup', '--detach', device).catch(() => undefined)
    }
    if ((await mountAt(directory)) === undefined) await rm(directory, { recursive: true })
  }
}
