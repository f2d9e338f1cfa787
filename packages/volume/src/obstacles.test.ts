import { expect, it } from 'vitest'

import { missingInKernel, obstacleTo, spaceObstacle, toolObstacle } from './obstacles.ts'
import { gibibyte } from './size.ts'

it('a volume that nobody asked for is made from 8 GiB on, one of a chosen size always', () => {
  expect(spaceObstacle('auto', 8 * gibibyte)).toBeUndefined()
  expect(spaceObstacle('auto', 7 * gibibyte)?.why).toContain('7 GiB fit')
  expect(spaceObstacle(1024, gibibyte)).toBeUndefined()
})

it('commands that are missing are named with the packages that bring them', () => {
  expect(toolObstacle(['/nowhere'])).toStrictEqual({
    why: 'this system lacks mkfs.xfs, losetup, mount, umount',
    mend: 'apt-get install xfsprogs mount',
  })
})

it('a kernel has XFS and loop devices when they are there, or can be loaded', () => {
  const built = { fileSystems: 'nodev\tproc\n\text4\n\txfs\n', hasLoop: true, modules: '' }
  expect(missingInKernel(built)).toBeUndefined()
  const loadable = 'kernel/fs/xfs/xfs.ko.xz: kernel/lib/libcrc32c.ko\nkernel/drivers/block/loop.ko:\n'
  expect(missingInKernel({ fileSystems: '\text4\n', hasLoop: false, modules: loadable })).toBeUndefined()
  expect(missingInKernel({ ...built, fileSystems: 'nodev\txfsomething\n\text4\n' })?.why).toBe('the kernel has no XFS')
  expect(missingInKernel({ ...built, hasLoop: false })?.why).toBe('there are no loop devices')
})

it('a volume that is switched off is no fault', async () => {
  expect(await obstacleTo('off', undefined, ['/nowhere'])).toMatchObject({ why: 'TORPOR_VOLUME_SIZE is off' })
})
