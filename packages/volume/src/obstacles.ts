import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { release } from 'node:os'
import process from 'node:process'

import { findCommand } from '@torpor/setup'

import { gibibyte, leastBytes } from './size.ts'
import type { Obstacle, VolumeSize } from './volume.ts'

const commands: Readonly<Record<string, string>> = {
  'mkfs.xfs': 'xfsprogs',
  losetup: 'mount',
  mount: 'mount',
  umount: 'mount',
}

export const switchedOff: Obstacle = { why: 'TORPOR_VOLUME_SIZE is off', mend: 'set it to auto, or to a number of MiB' }

/** What keeps a volume of `wanted` bytes from being made here, as far as it shows without trying; undefined when nothing does. */
export async function obstacleTo(
  size: VolumeSize,
  wanted: number | undefined,
  searchPath: readonly string[],
): Promise<Obstacle | undefined> {
  if (size === 'off') return switchedOff
  if (process.geteuid?.() !== 0) return { why: 'only root can mount a volume', mend: 'run it with sudo' }
  return spaceObstacle(size, wanted ?? 0) ?? toolObstacle(searchPath) ?? (await kernelObstacle())
}

/** A size that was asked for is taken as it is. */
export function spaceObstacle(size: VolumeSize, wanted: number): Obstacle | undefined {
  if (size !== 'auto' || wanted >= leastBytes) return undefined
  const fits = wanted / gibibyte
  return {
    why: `a volume takes at least ${leastBytes / gibibyte} GiB, and ${fits} GiB fit beside what else the disk is needed for`,
    mend: 'free some space, put TORPOR_DATA_DIR on a larger disk, or set TORPOR_VOLUME_SIZE to a number of MiB',
  }
}

export function toolObstacle(searchPath: readonly string[]): Obstacle | undefined {
  const missing = Object.keys(commands).filter((command) => findCommand(command, searchPath) === undefined)
  if (missing.length === 0) return undefined
  const packages = [...new Set(missing.map((command) => commands[command]))]
  return { why: `this system lacks ${missing.join(', ')}`, mend: `apt-get install ${packages.join(' ')}` }
}

async function kernelObstacle(): Promise<Obstacle | undefined> {
  const [loaded, modules] = await Promise.all([textOf('/proc/filesystems'), availableModules()])
  return missingInKernel({ fileSystems: loaded, hasLoop: existsSync('/dev/loop-control'), modules })
}

/** What the kernel was seen to have: `/proc/filesystems`, the device that gives loop devices, and the lists of its modules. */
export interface KernelFacts {
  readonly fileSystems: string
  readonly hasLoop: boolean
  readonly modules: string
}

export function missingInKernel({ fileSystems, hasLoop, modules }: KernelFacts): Obstacle | undefined {
  const hasModule = (name: string): boolean => new RegExp(`/${name}\\.ko`).test(modules)
  if (!/\txfs$/m.test(fileSystems) && !hasModule('xfs'))
    return { why: 'the kernel has no XFS', mend: 'modprobe xfs, or use a kernel that has it' }
  if (!hasLoop && !hasModule('loop')) {
    return { why: 'there are no loop devices', mend: 'modprobe loop; in a container: run it with --privileged and -v /dev:/dev' }
  }
  return undefined
}

async function availableModules(): Promise<string> {
  const lists = ['modules.dep', 'modules.builtin'].map((list) => textOf(`/lib/modules/${release()}/${list}`))
  return (await Promise.all(lists)).join('\n')
}

const textOf = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '')
