import { randomBytes } from 'node:crypto'
import { type FileHandle, open, readFile, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { afterEach, describe, expect, it } from 'vitest'

import { bestReadAheadKiB } from './loop-device.ts'
import { mountAt, parseMounts } from './mounts.ts'
import { openVolume } from './open-volume.ts'
import { mebibyte, reserveBytes } from './size.ts'
import { TrialMachine, isRoot } from './trial-machine.ts'
import type { Volume } from './volume.ts'

const machine = new TrialMachine()
const held: FileHandle[] = []
afterEach(async () => {
  await Promise.all(held.splice(0).map((handle) => handle.close()))
  await machine.clear()
})

const openAt = (dataDirectory: string, size?: number | 'auto' | 'off'): Promise<Volume> => openVolume(machine.options(dataDirectory, size))
const fileOf = (dataDirectory: string): string => path.join(dataDirectory, 'volume.img')
const mebibytes = (volume: Volume): number => volume.totalBytes() / mebibyte
const block = (device: string, file: string): Promise<string> => readFile(`/sys/block/${path.basename(device)}/${file}`, 'utf8')

async function optionsOf({ directory }: Volume): Promise<string | undefined> {
  const mounts = await readFile('/proc/self/mounts', 'utf8')
  return mounts.split('\n').find((line) => line.includes(directory))
}

async function mountsOf(dataDirectory: string): Promise<number> {
  const mounts = parseMounts(await readFile('/proc/self/mountinfo', 'utf8'))
  return mounts.filter(({ mountPoint }) => mountPoint === path.join(dataDirectory, 'volume')).length
}

describe.skipIf(!isRoot)('a volume in a file (needs root)', () => {
  it('is made where the file system below shares no blocks: sparse, for root alone, with direct I/O', async () => {
    const directory = await machine.directory()
    const volume = await openAt(directory)
    expect(volume).toMatchObject({ kind: 'loop', shares: true, directory: path.join(directory, 'volume'), reason: undefined })
    expect(mebibytes(volume)).toBeGreaterThan(900)
    const { size, blocks, mode } = await stat(fileOf(directory))
    expect([size, mode & 0o777, (await stat(volume.directory)).mode & 0o777]).toStrictEqual([1024 * mebibyte, 0o600, 0o700])
    expect(blocks * 512).toBeLessThan(100 * mebibyte)
    const [device = ''] = await machine.devicesOf(fileOf(directory))
    expect((await block(device, 'loop/dio')).trim()).toBe('1')
    expect(Number(await block(device, 'queue/read_ahead_kb'))).toBe(bestReadAheadKiB)
    expect(await optionsOf(volume)).toMatch(/rw,nosuid,nodev,noatime,.*logbsize=256k/)
    expect(await optionsOf(volume)).not.toContain('noexec')
    expect(machine.told).toStrictEqual([])
  })

  it('gives back what was freed when it is trimmed, and not before', async () => {
    const directory = await machine.directory()
    const volume = await openAt(directory)
    const taken = async (): Promise<number> => (await stat(fileOf(directory))).blocks * 512
    const written = path.join(volume.directory, 'written')
    await writeFile(written, randomBytes(64 * mebibyte), { flush: true })
    await rm(written)
    const before = await taken()
    expect(before).toBeGreaterThan(64 * mebibyte)
    // What is freed is free when the journal says so.
    await machine.run('sync', '--file-system', volume.directory)
    await volume.trim()
    expect(await taken()).toBeLessThan(before - 50 * mebibyte)
    await volume.trim()
    expect(machine.told).toStrictEqual([])
    await volume.close()
  })

  it('has direct I/O on a disk with sectors of 4 KiB as well', async () => {
    const directory = await machine.diskWithSectors(4096, 1536, 'mkfs.ext4', '-q')
    const volume = await openAt(directory)
    const [device = ''] = await machine.devicesOf(fileOf(directory))
    expect([(await block(device, 'loop/dio')).trim(), machine.told]).toStrictEqual(['1', []])
    await writeFile(path.join(volume.directory, 'written'), 'bytes', { flush: true })
    await volume.close()
  })

  it('is found again, mounted or not, with what lies in it', async () => {
    const directory = await machine.directory()
    const volume = await openAt(directory)
    await writeFile(path.join(volume.directory, 'kept'), 'bytes')
    for (const closing of [false, true]) {
      if (closing) await volume.close()
      const again = await openAt(directory)
      expect(await readFile(path.join(again.directory, 'kept'), 'utf8')).toBe('bytes')
      expect([await mountsOf(directory), (await machine.devicesOf(fileOf(directory))).length]).toStrictEqual([1, 1])
    }
    expect(machine.told).toStrictEqual([])
  })

  it('is closed without a mount or a device left over', async () => {
    const directory = await machine.directory()
    const volume = await openAt(directory)
    await volume.close()
    expect([await mountsOf(directory), await machine.leftAfterDetaching(fileOf(directory))]).toStrictEqual([0, []])
    await volume.close()
    expect(machine.told).toStrictEqual(['the volume is not mounted any more'])
  })

  it('stays mounted at a close while something uses it, and says so', async () => {
    const directory = await machine.directory()
    const volume = await openAt(directory)
    const user = await open(path.join(volume.directory, 'used'), 'w')
    held.push(user)
    await volume.close()
    expect(machine.told).toStrictEqual([expect.stringMatching(/^the volume stays mounted: .*busy/)])
    await user.write('still there')
    await user.sync()
    expect(await readFile(path.join(volume.directory, 'used'), 'utf8')).toBe('still there')
    expect((await machine.devicesOf(fileOf(directory))).length).toBe(1)
  })

  it('gives removed files back to the disk below', async () => {
    const directory = await machine.directory()
    const volume = await openAt(directory)
    const allocated = async (): Promise<number> => (await stat(fileOf(directory))).blocks * 512
    const before = await allocated()
    await writeFile(path.join(volume.directory, 'large'), Buffer.alloc(64 * mebibyte, 1), { flush: true })
    expect(await allocated()).toBeGreaterThan(before + 60 * mebibyte)
    await truncate(path.join(volume.directory, 'large'), 0)
    await volume.close()
    expect(await allocated()).toBeLessThan(before + 10 * mebibyte)
  })

  it('uses the loop device that a killed server left behind, and sets it right', async () => {
    const directory = await machine.directory()
    await (await openAt(directory)).close()
    expect(await machine.leftAfterDetaching(fileOf(directory))).toStrictEqual([])
    const device = await machine.attach(fileOf(directory))
    await machine.run('losetup', '--direct-io=off', device)
    await openAt(directory)
    expect(await machine.devicesOf(fileOf(directory))).toStrictEqual([device])
    expect((await block(device, 'loop/dio')).trim()).toBe('1')
  })

  it('makes one that the operator mounted to look into it as safe as one of its own', async () => {
    const directory = await machine.directory()
    const volume = await openAt(directory)
    await volume.close()
    expect(await machine.leftAfterDetaching(fileOf(directory))).toStrictEqual([])
    await machine.run('mount', '-o', 'loop', fileOf(directory), volume.directory)
    const again = await openAt(directory)
    await writeFile(path.join(again.directory, 'written'), 'bytes')
    const [device = ''] = await machine.devicesOf(fileOf(directory))
    expect((await block(device, 'loop/dio')).trim()).toBe('1')
    expect(await optionsOf(again)).toMatch(/rw,nosuid,nodev,noatime/)
    await again.close()
    expect([await mountsOf(directory), await machine.leftAfterDetaching(fileOf(directory)), machine.told]).toStrictEqual([0, [], []])
  })

  it('grows to a larger size, full of files and in use, and keeps what it has when a smaller one is asked for', async () => {
    const directory = await machine.directory()
    const volume = await openAt(directory)
    const before = mebibytes(volume)
    await writeFile(path.join(volume.directory, 'kept'), 'bytes')
    const grown = await openAt(directory, 1536)
    expect(mebibytes(grown)).toBeGreaterThan(before + 500)
    expect(machine.told).toStrictEqual(['the volume has grown from 1.0 to 1.5 GiB'])
    await openAt(directory, 1536)
    await openAt(directory, 1024)
    expect(mebibytes(grown)).toBeGreaterThan(before + 500)
    expect(machine.told.slice(1)).toStrictEqual(['the volume keeps its 1536 MiB: it cannot shrink to TORPOR_VOLUME_SIZE'])
    expect(await readFile(path.join(grown.directory, 'kept'), 'utf8')).toBe('bytes')
  })

  it('ends a growth that was interrupted after the file was lengthened', async () => {
    const directory = await machine.directory()
    const volume = await openAt(directory)
    const before = mebibytes(volume)
    await truncate(fileOf(directory), 1536 * mebibyte)
    await openAt(directory, 1536)
    expect(mebibytes(volume)).toBeGreaterThan(before + 500)
  })

  it('is never formatted over: one that cannot be mounted stops the start, with what mends it', async () => {
    const directory = await machine.directory()
    await (await openAt(directory)).close()
    await using file = await open(fileOf(directory), 'r+')
    await file.write(Buffer.alloc(4096, 7), 0, 4096, 0)
    await expect(openAt(directory)).rejects.toMatchObject({ name: 'SetupProblem', mend: expect.stringContaining('xfs_repair /dev/loop') })
    const { buffer } = await file.read(Buffer.alloc(4096), 0, 4096, 0)
    expect(buffer.equals(Buffer.alloc(4096, 7))).toBe(true)
  })

  it('is not mounted over what somebody mounted in its place', async () => {
    const directory = await machine.directory()
    const volume = await openAt(directory)
    await volume.close()
    await machine.run('mount', '-t', 'tmpfs', 'somebody', volume.directory)
    await expect(openAt(directory)).rejects.toMatchObject({ mend: expect.stringContaining(`umount ${volume.directory}`) })
    await volume.close()
    expect(machine.told).toStrictEqual([expect.stringContaining('somebody, which is mounted in its place, is not ours')])
    expect(await mountAt(volume.directory)).toMatchObject({ source: 'somebody' })
  })

  it('is not used through two devices, which would each keep a file system of their own', async () => {
    const directory = await machine.directory()
    await (await openAt(directory)).close()
    expect(await machine.leftAfterDetaching(fileOf(directory))).toStrictEqual([])
    await machine.attach(fileOf(directory))
    await machine.attach(fileOf(directory))
    await expect(openAt(directory)).rejects.toThrow('attached to several loop devices')
  })

  it('has no more room than the disk below, less a reserve', async () => {
    const directory = await machine.disk(1280, 'mkfs.ext4', '-q', '-m', '0')
    const volume = await openAt(directory, 4096)
    expect(mebibytes(volume)).toBeGreaterThan(3900)
    const below = async (): Promise<number> => Number((await machine.run('stat', '-f', '-c', '%a', directory)).trim()) * 4096
    expect(Math.abs(volume.freeBytes() - ((await below()) - reserveBytes))).toBeLessThan(8 * mebibyte)
    await writeFile(path.join(directory, 'ballast'), Buffer.alloc(200 * mebibyte, 1), { flush: true })
    expect([volume.freeBytes(), (await below()) > 0]).toStrictEqual([0, true])
    await volume.close()
  })

  it('is mounted, but shares nothing, when it exists and is switched off', async () => {
    const directory = await machine.directory()
    await (await openAt(directory)).close()
    expect(await openAt(directory, 'off')).toMatchObject({ kind: 'loop', shares: false, directory: path.join(directory, 'volume') })
  })

  it('what an interrupted making left is not taken for one', async () => {
    const directory = await machine.directory()
    await writeFile(`${fileOf(directory)}.new`, 'half a file system')
    expect(await openAt(directory)).toMatchObject({ kind: 'loop' })
    expect(await readdir(directory)).toStrictEqual(['volume', 'volume.img', 'volume.lock'])
  })
})

describe.skipIf(!isRoot)('without a volume in a file (needs root)', () => {
  it('a file system of its own that shares blocks serves itself', async () => {
    const directory = await machine.disk(512, 'mkfs.xfs', '-q', '-m', 'reflink=1')
    const volume = await openAt(directory)
    expect(volume).toMatchObject({ kind: 'data directory', shares: true, directory, reason: undefined })
    expect(volume.freeBytes()).toBeLessThan(volume.totalBytes())
    await volume.close()
    expect(await readdir(directory)).toStrictEqual(['volume.lock'])
    expect(await openAt(directory, 'off')).toMatchObject({ kind: 'none', shares: false, reason: expect.stringContaining('is off') })
  })

  it('the data directory serves, without shared blocks, when it is switched off', async () => {
    const directory = await machine.directory()
    expect(await openAt(directory, 'off')).toMatchObject({ kind: 'none', shares: false, directory })
    expect(await readdir(directory)).toStrictEqual(['volume.lock'])
  })

  it('a disk that is too small gets none by itself, and one of a chosen size', async () => {
    const directory = await machine.disk(1536, 'mkfs.ext4', '-q')
    expect(await openAt(directory, 'auto')).toMatchObject({ kind: 'none', reason: expect.stringContaining('at least 8 GiB') })
    const volume = await openAt(directory, 1024)
    expect(volume.kind).toBe('loop')
    await volume.close()
  })

  it.each([
    ['mkfs.xfs is missing', { 'mkfs.xfs': null }, 'apt-get install xfsprogs'],
    ['mkfs.xfs fails', { 'mkfs.xfs': 'echo no such thing >&2; exit 1' }, 'no volume could be made: no such thing'],
    ['the kernel refuses the mount', { mount: 'echo mount: unknown filesystem type >&2; exit 32' }, 'unknown filesystem type'],
    ['no device can be had', { losetup: '[ "$1" = --json ] || { echo no device >&2; exit 1; }' }, 'no device'],
  ])('when %s, it goes on without one, says why, and leaves nothing behind', async (_, scripts, reason) => {
    const directory = await machine.directory()
    const options = { ...machine.options(directory), searchPath: await machine.commands(scripts) }
    expect(await openVolume(options)).toMatchObject({ kind: 'none', shares: false, directory, reason: expect.stringContaining(reason) })
    expect(await readdir(directory)).not.toContain('volume.img')
    expect(await readdir(directory)).not.toContain('volume.img.new')
    expect(await machine.run('losetup', '--all')).not.toContain(directory)
    expect(await openAt(directory)).toMatchObject({ kind: 'loop' })
  })

  it('goes on with a volume that cannot be grown, and says why', async () => {
    const directory = await machine.directory()
    await openAt(directory)
    const options = { ...machine.options(directory, 1536), searchPath: await machine.commands({ xfs_growfs: 'echo cannot >&2; exit 1' }) }
    expect(await openVolume(options)).toMatchObject({ kind: 'loop', shares: true })
    expect(machine.told).toStrictEqual(['the volume could not be grown: cannot'])
  })
})

it.skipIf(isRoot)('whoever is not root goes on without a volume', async () => {
  const directory = await machine.directory()
  expect(await openAt(directory)).toMatchObject({ kind: 'none', reason: expect.stringContaining('only root') })
})
