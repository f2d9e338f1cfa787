import { readFile } from 'node:fs/promises'

import { bestReadAheadKiB } from '@torpor/volume'

import type { Check } from './check.ts'
import { volumeOf } from './volume.ts'

const gibibyte = 1024 ** 3
/** For a machine that serves sandboxes only; for the whole machine, as there is no setting for one file system. */
const calmWriteback = 'vm.dirty_writeback_centisecs=0 vm.dirty_background_ratio=60 vm.dirty_ratio=80'

/** Whether memory, images and writable layers lie where files share blocks, and whether that place works as well as it can. */
export const volumeChecks: readonly Check[] = [
  {
    name: 'volume',
    severity: 'warning',
    breaks: 'pause, resume and clone copy all memory of a sandbox: with large ones that takes seconds, and its room on disk each time',
    mend: 'unset TORPOR_VOLUME_SIZE',
    find: async (config) => {
      const obstacle = config.volumeSize === 'off' ? undefined : (await volumeOf(config))?.obstacle
      return obstacle && { found: obstacle.why, mend: obstacle.mend }
    },
  },
  {
    name: 'XFS of the data directory',
    severity: 'warning',
    breaks: 'a volume in a file is used, which is slower than the file system itself would be',
    mend: 'make the file system anew, with `mkfs.xfs -m reflink=1`',
    find: async (config) => ((await volumeOf(config))?.isOldXfs ? 'it was made without shared blocks' : undefined),
  },
  {
    name: 'disk below the volume',
    severity: 'warning',
    breaks: 'when it is full, what sandboxes have written to memory and files can be lost, although the volume itself has room',
    mend: 'free some space there, or move TORPOR_DATA_DIR to a larger disk',
    find: async (config) => {
      const lacking = (await volumeOf(config))?.lackingBytes ?? 0
      return lacking === 0 ? undefined : `the volume may still take ${(lacking / gibibyte).toFixed(1)} GiB more than are free there`
    },
  },
  {
    name: 'read-ahead',
    severity: 'warning',
    breaks: 'more: a pause writes more than has changed; less: saved memory falls into many pieces, which slows every resume',
    mend: `set it to ${bestReadAheadKiB} KiB`,
    find: async (config) => {
      const volume = await volumeOf(config)
      if (!volume?.shares || !volume.readAhead || volume.readAhead.kibibytes === bestReadAheadKiB) return undefined
      const { kibibytes, file } = volume.readAhead
      return { found: `the volume's device reads ${kibibytes} KiB ahead`, mend: `echo ${bestReadAheadKiB} > ${file}` }
    },
  },
  {
    name: 'writeback',
    severity: 'warning',
    breaks:
      'a sandbox that writes to much memory all the time stands still for a second now and then, and that memory goes to the disk over and over; ' +
      'where other programs matter as much, that is right as it is (docs/volume.md)',
    mend: `sysctl -w ${calmWriteback}`,
    find: async (config) => {
      const volume = await volumeOf(config)
      const interval = Number(await readFile('/proc/sys/vm/dirty_writeback_centisecs', 'utf8'))
      if (!volume?.shares || interval === 0) return undefined
      return `the kernel writes memory of sandboxes to the disk every ${interval / 100} s`
    },
  },
]
