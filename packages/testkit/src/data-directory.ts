import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

/** Where the server of a data directory has its images: on the volume, when it has made one. */
export function imagesOf(dataDirectory: string): string {
  const onVolume = path.join(dataDirectory, 'volume', 'images')
  return existsSync(onVolume) ? onVolume : path.join(dataDirectory, 'images')
}

/** The mounts below a directory, but that of the volume. */
export function mountsBelow(dataDirectory: string): string[] {
  const places = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
  return places.filter((place) => place.startsWith(`${dataDirectory}/`) && place !== path.join(dataDirectory, 'volume'))
}

/** Takes away the mount of the volume, as a restart of the machine does, and the device below it. Nothing of it may be in use. */
export async function unmountVolume(dataDirectory: string): Promise<void> {
  const place = path.join(dataDirectory, 'volume')
  const isMounted = (): boolean => readFileSync('/proc/mounts', 'utf8').includes(` ${place} `)
  while (isMounted()) await run('umount', [place])
  const { stdout } = await run('losetup', ['--noheadings', '--output', 'NAME', '--associated', path.join(dataDirectory, 'volume.img')])
  for (const device of stdout.split('\n').filter((name) => name !== '')) await run('losetup', ['--detach', device])
}

/** Removes all that a server left. */
export async function removeData(dataDirectory: string): Promise<void> {
  await unmountVolume(dataDirectory)
  await rm(dataDirectory, { recursive: true, force: true })
}
