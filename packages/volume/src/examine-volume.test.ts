import { readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { afterEach, describe, expect, it } from 'vitest'

import { examineVolume, usesFile } from './examine-volume.ts'
import { bestReadAheadKiB } from './loop-device.ts'
import { openVolume } from './open-volume.ts'
import { gibibyte, mebibyte } from './size.ts'
import { TrialMachine, isRoot } from './trial-machine.ts'

const machine = new TrialMachine()
afterEach(() => machine.clear())

describe.skipIf(!isRoot)('a look at the volume (needs root)', () => {
  it('tells what a start would make, of a directory that does not exist as well, and leaves nothing behind', async () => {
    const directory = await machine.directory()
    const wouldMake = { kind: 'loop', state: 'not made', shares: true, totalBytes: 1024 * mebibyte, obstacle: undefined }
    expect(await examineVolume(machine.options(path.join(directory, 'not', 'there')))).toMatchObject(wouldMake)
    expect(await examineVolume(machine.options(directory))).toMatchObject(wouldMake)
    expect(await readdir(directory)).toStrictEqual([])
  })

  it('tells of a volume in a file, mounted and not', async () => {
    const directory = await machine.directory()
    const options = machine.options(directory)
    const volume = await openVolume(options)
    const mounted = await examineVolume(options)
    expect(mounted).toMatchObject({
      kind: 'loop',
      state: 'mounted',
      shares: true,
      directIo: true,
      readAhead: { kibibytes: bestReadAheadKiB },
      lackingBytes: 0,
    })
    expect(mounted.totalBytes).toBe(volume.totalBytes())
    // What was removed a moment ago may be given back between the two.
    expect(Math.abs(mounted.freeBytes - volume.freeBytes())).toBeLessThan(mebibyte)
    await volume.close()
    const resting = await examineVolume(options)
    expect(resting).toMatchObject({ kind: 'loop', state: 'not mounted', shares: true, totalBytes: 1024 * mebibyte, directIo: undefined })
    expect(await machine.leftAfterDetaching(path.join(directory, 'volume.img'))).toStrictEqual([])
  })

  it('does not take for it what somebody mounted in its place', async () => {
    const directory = await machine.directory()
    const volume = await openVolume(machine.options(directory))
    await volume.close()
    await machine.run('mount', '-t', 'tmpfs', 'somebody', volume.directory)
    expect(await examineVolume(machine.options(directory))).toMatchObject({ kind: 'loop', state: 'not mounted' })
  })

  it('knows when the tools of XFS are of use: where a file is the volume, or will be', async () => {
    const sharing = await machine.disk(512, 'mkfs.xfs', '-q', '-m', 'reflink=1')
    expect(await usesFile({ dataDirectory: path.join(sharing, 'not', 'there'), size: 'auto' })).toBe(false)
    const directory = await machine.directory()
    expect(await usesFile({ dataDirectory: directory, size: 'auto' })).toBe(true)
    expect(await usesFile({ dataDirectory: directory, size: 'off' })).toBe(false)
    await writeFile(path.join(directory, 'volume.img'), '')
    expect(await usesFile({ dataDirectory: directory, size: 'off' })).toBe(true)
  })

  it('tells what keeps one from being made', async () => {
    const options = machine.options(await machine.directory())
    const missing = await examineVolume({ ...options, searchPath: ['/nowhere'] })
    expect(missing).toMatchObject({ kind: 'none', shares: false, obstacle: { mend: 'apt-get install xfsprogs mount' } })
    expect(await examineVolume({ ...options, size: 'off' })).toMatchObject({
      kind: 'none',
      obstacle: { why: expect.stringContaining('off') },
    })
  })

  it('tells that the disk below has less than the volume may still take', async () => {
    const directory = await machine.disk(1536, 'mkfs.ext4', '-q', '-m', '0')
    const options = machine.options(directory, 4096)
    expect((await examineVolume(options)).lackingBytes).toBeGreaterThan(2 * gibibyte)
    const volume = await openVolume(options)
    const { lackingBytes } = await examineVolume(options)
    expect(lackingBytes).toBeGreaterThan(2 * gibibyte)
    await writeFile(path.join(directory, 'ballast'), Buffer.alloc(100 * mebibyte, 1), { flush: true })
    expect((await examineVolume(options)).lackingBytes).toBeGreaterThanOrEqual(lackingBytes + 100 * mebibyte)
    await volume.close()
  })

  it('tells of a file system of its own: that it shares, how far it reads ahead, or that it is an XFS that cannot', async () => {
    const sharing = machine.options(await machine.disk(512, 'mkfs.xfs', '-q', '-m', 'reflink=1'))
    const found = await examineVolume(sharing)
    expect(found).toMatchObject({ kind: 'data directory', shares: true, isOldXfs: false, lackingBytes: 0 })
    expect(found.readAhead?.file).toMatch(/\/loop\d+\/queue\/read_ahead_kb$/)
    expect(found.readAhead?.kibibytes).toBe(Number(await machine.run('cat', found.readAhead?.file ?? '')))
    const old = machine.options(await machine.disk(512, 'mkfs.xfs', '-q', '-m', 'reflink=0'))
    expect(await examineVolume(old)).toMatchObject({ kind: 'loop', state: 'not made', isOldXfs: true })
  })
})
