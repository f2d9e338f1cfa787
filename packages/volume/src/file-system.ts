import { existsSync, statfsSync } from 'node:fs'
import { readFile, readdir, stat, statfs } from 'node:fs/promises'
import path from 'node:path'

import { codeOf } from '@torpor/file-system'

const xfsMagic = 0x58465342

/** Bytes that may still be written to the file system of `directory`. */
export function freeBytesOf(directory: string): number {
  const { bavail, bsize } = statfsSync(directory)
  return bavail * bsize
}

export function totalBytesOf(directory: string): number {
  const { blocks, bsize } = statfsSync(directory)
  return blocks * bsize
}

/** The directory itself, or the nearest one above it that exists. */
export function existing(directory: string): string {
  return existsSync(directory) ? directory : existing(path.dirname(directory))
}

/** How many pieces an XFS has freed since it was mounted, whatever else it did meanwhile; undefined where it does not say. */
export async function freedExtents(device: string): Promise<number | undefined> {
  const text = await readFile(`/sys/fs/xfs/${path.basename(device)}/stats/stats`, 'utf8').catch(() => '')
  const freed = /^extent_alloc \d+ \d+ (\d+)/m.exec(text)?.[1]
  return freed === undefined ? undefined : Number(freed)
}

export const isXfs = async (directory: string): Promise<boolean> => (await statfs(directory)).type === xfsMagic

/** `<major>:<minor>` of the device that holds `directory`, as the kernel's C library takes a device number apart. */
export async function deviceNumberOf(directory: string): Promise<string> {
  const { dev } = await stat(directory, { bigint: true })
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn)
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn)
  return `${major}:${minor}`
}

/** Length of a file and what it takes on disk; undefined when there is none. */
export async function sizeOf(file: string): Promise<{ readonly bytes: number; readonly allocatedBytes: number } | undefined> {
  try {
    const { size, blocks } = await stat(file)
    return { bytes: size, allocatedBytes: blocks * 512 }
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** Bytes that the files below `directory` take on disk; none when it does not exist. */
export async function allocatedBytesBelow(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return []
    throw error
  })
  let sum = 0
  for (const entry of entries.filter((entry) => entry.isFile())) {
    sum += (await sizeOf(path.join(entry.parentPath, entry.name)))?.allocatedBytes ?? 0
  }
  return sum
}
