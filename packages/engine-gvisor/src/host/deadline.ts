import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'

import type { HostMethod } from './protocol.ts'

const second = 1000

/**
 * How long an answer may take, in milliseconds, before bytes count. The host gives up on a sandbox that does not answer by itself, and
 * sooner than this (engine/PROTOCOL.md): what runs into these is the host.
 */
const patience: Readonly<Record<HostMethod, number>> = {
  version: 5 * second,
  list: 10 * second,
  stats: 10 * second,
  freeze: 60 * second,
  thaw: 60 * second,
  destroy: 60 * second,
  boot: 180 * second,
  restore: 180 * second,
  waitRestored: 900 * second,
  flush: 900 * second,
  prefetch: 3600 * second,
  space: 60 * second,
  compact: 3600 * second,
  capture: 900 * second,
  captureFiles: 900 * second,
}

/** What the slowest disk does that anyone can work with. */
const bytesPerMillisecond = 4 * 1024

/** @param bytes what the method has to read or write, as far as that is known. */
export const deadlineOf = (method: HostMethod, bytes: number): number => patience[method] + Math.ceil(bytes / bytesPerMillisecond)

/** The sizes of the files in a directory together; 0 when it is not there. */
export async function bytesIn(directory: string): Promise<number> {
  const names = await readdir(directory).catch((): string[] => [])
  const sizes = await Promise.all(
    names.map((name) =>
      stat(path.join(directory, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}
