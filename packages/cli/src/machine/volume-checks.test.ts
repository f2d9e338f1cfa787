import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'

import { type Config, loadConfig } from '@torpor/server/config'
import type { VolumeFindings } from '@torpor/volume'
import { openVolume } from '@torpor/volume'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { examine } from './doctor.ts'
import { volumeChecks } from './volume-checks.ts'
import { describeVolume, volumeOf } from './volume.ts'

const gibibyte = 1024 ** 3
const mounted: VolumeFindings = {
  kind: 'loop',
  state: 'mounted',
  shares: true,
  totalBytes: 70 * gibibyte,
  usedBytes: 1.5 * gibibyte,
  freeBytes: 68 * gibibyte,
  lackingBytes: 0,
  directIo: true,
  readAhead: { kibibytes: 128, file: '/sys/block/loop0/queue/read_ahead_kb' },
  isOldXfs: false,
  obstacle: undefined,
}

describe('the line about the volume', () => {
  it.each<[string, Partial<VolumeFindings>]>([
    ['a file with XFS in it, mounted; 1.5 GiB used of 70.0 GiB, 68.0 GiB free; files share blocks; direct I/O; read-ahead 128 KiB', {}],
    [
      'a file with XFS in it, not mounted; 1.5 GiB used of 70.0 GiB, 68.0 GiB free; bytes are copied',
      { state: 'not mounted', shares: false, directIo: undefined, readAhead: undefined },
    ],
    [
      "the data directory's own file system; 1.5 GiB used of 70.0 GiB, 68.0 GiB free; files share blocks; read-ahead 128 KiB",
      { kind: 'data directory', directIo: undefined, readAhead: { kibibytes: 128, file: '' } },
    ],
    [
      'none (it is off), the data directory serves; 1.5 GiB used of 70.0 GiB, 68.0 GiB free; bytes are copied',
      { kind: 'none', shares: false, directIo: undefined, readAhead: undefined, obstacle: { why: 'it is off', mend: 'switch it on' } },
    ],
  ])('%s', (line, findings) => {
    expect(describeVolume({ ...mounted, ...findings })).toBe(line)
  })
})

describe.skipIf(process.geteuid?.() !== 0)('the checks of the volume (need root)', () => {
  let directory = ''
  beforeEach(() => {
    directory = mkdtempSync(path.join(tmpdir(), 'torpor-doctor-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  const configWith = (size: string): Config => loadConfig({ TORPOR_DATA_DIR: directory, TORPOR_VOLUME_SIZE: size })
  /** Of the volume itself: how the kernel writes is a matter of the whole machine. */
  const findings = (config: Config) =>
    examine(
      config,
      volumeChecks.filter(({ name }) => name !== 'writeback'),
    )

  it('find nothing where a volume can be made, and nothing where none is wished for', async () => {
    expect(await findings(configWith('1024'))).toStrictEqual([])
    expect(await findings(configWith('off'))).toStrictEqual([])
  })

  it('find that the disk below has less than the volume may take', async () => {
    expect(await findings(configWith(String(16 * 1024 * 1024)))).toMatchObject([{ name: 'disk below the volume', severity: 'warning' }])
  })

  it('find a device that reads another length ahead, with the command that mends it', async () => {
    const config = configWith('1024')
    const volume = await openVolume({ dataDirectory: directory, size: 1024, searchPath: ['/usr/sbin', '/usr/bin'], tell: () => undefined })
    try {
      expect(await findings(config)).toStrictEqual([])
      const file = (await volumeOf(config))?.readAhead?.file ?? ''
      execFileSync('sh', ['-c', 'echo 64 > "$0"', file])
      const [finding] = await findings(config)
      expect(finding).toMatchObject({ name: 'read-ahead', found: expect.stringContaining('64 KiB'), mend: `echo 128 > ${file}` })
      execFileSync('sh', ['-c', finding?.mend ?? 'false'])
      expect(await findings(config)).toStrictEqual([])
    } finally {
      await volume.close()
    }
  })

  it('find that the kernel writes memory to the disk from time to time, where memory lies in files', async () => {
    const ofWriteback = (config: Config) =>
      examine(
        config,
        volumeChecks.filter(({ name }) => name === 'writeback'),
      )
    const interval = Number(readFileSync('/proc/sys/vm/dirty_writeback_centisecs', 'utf8'))
    const expected = {
      severity: 'warning',
      found: expect.stringContaining(`every ${interval / 100} s`),
      mend: expect.stringMatching(/^sysctl -w /),
    }
    expect(await ofWriteback(configWith('1024'))).toMatchObject(interval === 0 ? [] : [expected])
    expect(await ofWriteback(configWith('off'))).toStrictEqual([])
  })

  it('find what keeps a volume from being made, with what mends just that', async () => {
    const before = process.env['PATH']
    process.env['PATH'] = '/nowhere'
    try {
      expect(await findings(configWith('1024'))).toMatchObject([
        { name: 'volume', found: expect.stringContaining('mkfs.xfs'), mend: 'apt-get install xfsprogs mount' },
      ])
    } finally {
      process.env['PATH'] = before
    }
  })
})
