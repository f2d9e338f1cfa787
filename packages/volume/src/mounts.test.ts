import { expect, it } from 'vitest'

import { mountAt, parseMounts } from './mounts.ts'

it('lines of mountinfo are read with optional fields and with what is escaped in them', () => {
  const text = [
    '27 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard',
    '43 27 7:0 / /var/lib/torpor/volume rw,nosuid,nodev,noatime shared:12 master:3 - xfs /dev/loop0 rw,discard,inode64',
    String.raw`44 27 0:40 / /mnt/a\040b\134c rw - tmpfs none rw`,
    '',
  ].join('\n')
  expect(parseMounts(text)).toStrictEqual([
    { mountPoint: '/', number: '254:0', fileSystem: 'ext4', source: '/dev/vda' },
    { mountPoint: '/var/lib/torpor/volume', number: '7:0', fileSystem: 'xfs', source: '/dev/loop0' },
    { mountPoint: String.raw`/mnt/a b\c`, number: '0:40', fileSystem: 'tmpfs', source: 'none' },
  ])
})

it('what is mounted at a place is found, and nothing at a place below it', async () => {
  expect(await mountAt('/proc')).toMatchObject({ fileSystem: 'proc' })
  expect(await mountAt('/proc/self')).toBeUndefined()
})
