import { existsSync, statfsSync } from 'node:fs'
import { realpath } from 'node:fs/promises'

import { deviceNumberOf, existing, freeBytesOf, isXfs, sizeOf, totalBytesOf } from './file-system.ts'
import { type ReadAhead, deviceOf, readAheadOf, usesDirectIo } from './loop-device.ts'
import { freeBytesIn, isOurs } from './loop-volume.ts'
import { mountAt } from './mounts.ts'
import { obstacleTo, switchedOff } from './obstacles.ts'
import { roomFor } from './open-volume.ts'
import { type Places, placesOf } from './places.ts'
import { looking } from './run-command.ts'
import { sharesBlocksNear } from './shares-blocks.ts'
import { lackingBytes, reserveBytes, wantedBytes } from './size.ts'
import type { Obstacle, Volume, VolumeOptions } from './volume.ts'

/** What a look at the volume of a data directory shows. */
export interface VolumeFindings {
  /** What a server has, or would have after its start. */
  readonly kind: Volume['kind']
  /** A volume in a file that is `not made` will be at the next start. The data directory counts as `mounted`. */
  readonly state: 'mounted' | 'not mounted' | 'not made'
  readonly shares: boolean
  readonly totalBytes: number
  readonly usedBytes: number
  /** As `Volume.freeBytes`. */
  readonly freeBytes: number
  /** What a volume in a file may still take of the disk below it, and that this does not have. */
  readonly lackingBytes: number
  /** Of a volume in a file that is mounted. */
  readonly directIo: boolean | undefined
  /** Of the device behind it; undefined where there is none, as with a volume that is not mounted. */
  readonly readAhead: ReadAhead | undefined
  /** The data directory lies on an XFS that was made without shared blocks. */
  readonly isOldXfs: boolean
  /** Of the kind `none`. */
  readonly obstacle: Obstacle | undefined
}

type Options = Pick<VolumeOptions, 'size' | 'searchPath'>

/** Looks at the volume and changes nothing; the data directory need not exist. */
export async function examineVolume(options: Omit<VolumeOptions, 'tell'>): Promise<VolumeFindings> {
  const { dataDirectory, size } = options
  const places = placesOf(existsSync(dataDirectory) ? await realpath(dataDirectory) : dataDirectory)
  const file = await sizeOf(places.file)
  if (file) {
    const isMounted = await isOurs(places, await mountAt(places.mountPoint), looking(options.searchPath))
    return isMounted ? mountedFile(places, options) : restingFile(places, options)
  }
  const shares = size !== 'off' && (await sharesBlocksNear(dataDirectory))
  return shares || size === 'off' ? dataDirectoryItself(dataDirectory, shares) : missingFile(places, options)
}

/** Whether a start has to do with a volume in a file, for which it needs the tools of XFS. */
export async function usesFile({ dataDirectory, size }: Pick<VolumeOptions, 'dataDirectory' | 'size'>): Promise<boolean> {
  if (existsSync(placesOf(dataDirectory).file)) return true
  return size !== 'off' && !(await sharesBlocksNear(dataDirectory))
}

const nothingMore = {
  lackingBytes: 0,
  directIo: undefined,
  readAhead: undefined,
  isOldXfs: false,
  obstacle: undefined,
} satisfies Partial<VolumeFindings>

async function mountedFile(places: Places, { size, searchPath }: Options): Promise<VolumeFindings> {
  const device = await deviceOf(places.file, looking(searchPath))
  return {
    ...nothingMore,
    kind: 'loop',
    state: 'mounted',
    shares: size !== 'off',
    ...room(places.mountPoint),
    freeBytes: freeBytesIn(places),
    lackingBytes: await lackingBelow(places),
    directIo: device === undefined ? undefined : await usesDirectIo(device),
    readAhead: await readAheadOf(await deviceNumberOf(places.mountPoint)),
  }
}

async function restingFile(places: Places, { size }: Options): Promise<VolumeFindings> {
  const { bytes, allocatedBytes } = (await sizeOf(places.file)) ?? { bytes: 0, allocatedBytes: 0 }
  return {
    ...nothingMore,
    kind: 'loop',
    state: 'not mounted',
    shares: size !== 'off',
    totalBytes: bytes,
    usedBytes: allocatedBytes,
    freeBytes: Math.max(0, Math.min(bytes - allocatedBytes, freeBytesOf(places.dataDirectory) - reserveBytes)),
    lackingBytes: await lackingBelow(places),
  }
}

async function lackingBelow({ file, dataDirectory }: Places): Promise<number> {
  const size = await sizeOf(file)
  return size === undefined ? 0 : lackingBytes(size, freeBytesOf(dataDirectory))
}

async function dataDirectoryItself(dataDirectory: string, shares: boolean): Promise<VolumeFindings> {
  const directory = existing(dataDirectory)
  return {
    ...nothingMore,
    kind: shares ? 'data directory' : 'none',
    state: 'mounted',
    shares,
    ...room(directory),
    readAhead: await readAheadOf(await deviceNumberOf(directory)),
    obstacle: shares ? undefined : switchedOff,
  }
}

async function missingFile(places: Places, { size, searchPath }: Options): Promise<VolumeFindings> {
  const directory = existing(places.dataDirectory)
  const wanted = wantedBytes(size, await roomFor({ ...places, dataDirectory: directory })) ?? 0
  const obstacle = await obstacleTo(size, wanted, searchPath)
  const isOldXfs = await isXfs(directory)
  if (obstacle) return { ...nothingMore, kind: 'none', state: 'mounted', shares: false, ...room(directory), isOldXfs, obstacle }
  const lacking = lackingBytes({ bytes: wanted, allocatedBytes: 0 }, freeBytesOf(directory))
  const made = { totalBytes: wanted, usedBytes: 0, freeBytes: Math.max(0, Math.min(wanted, freeBytesOf(directory) - reserveBytes)) }
  return { ...nothingMore, kind: 'loop', state: 'not made', shares: true, ...made, lackingBytes: lacking, isOldXfs }
}

function room(directory: string): Pick<VolumeFindings, 'totalBytes' | 'usedBytes' | 'freeBytes'> {
  const { blocks, bfree, bsize } = statfsSync(directory)
  return { totalBytes: totalBytesOf(directory), usedBytes: (blocks - bfree) * bsize, freeBytes: freeBytesOf(directory) }
}
