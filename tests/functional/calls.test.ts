import { expect, test } from 'vitest'

import { withBothSdks } from './both-sdks.ts'

withBothSdks('calls that no other promise needs', {}, (told) => {
  test('its time is set, its metrics and its public name are told', async () => {
    const { sandbox } = told()
    await sandbox.setTimeout(1_200_000)
    const { endAt } = await sandbox.getInfo()
    expect(Math.abs(endAt.getTime() - Date.now() - 1_200_000)).toBeLessThan(10_000)
    expect(sandbox.getHost(3000)).toMatch(new RegExp(`^3000-${sandbox.sandboxId}\\.`))
    await expect.poll(async () => (await sandbox.getMetrics()).length, { timeout: 20_000 }).toBeGreaterThan(0)
  })

  test('a snapshot is made of it and listed', async () => {
    const { sandbox } = told()
    const { snapshotId } = await sandbox.createSnapshot()
    const listed = await sandbox.listSnapshots().nextItems()
    expect(listed.map((snapshot) => snapshot.snapshotId)).toContain(snapshotId)
  })

  test('many files are written at once, and one is looked at', async () => {
    const { sandbox } = told()
    const names = Array.from({ length: 20 }, (_, number) => `many/${number}`)
    await sandbox.files.writeFiles(names.map((path) => ({ path, data: path })))
    expect(await sandbox.files.list('many')).toHaveLength(20)
    expect(await sandbox.files.getInfo('many/7')).toMatchObject({ name: '7', type: 'file', size: 6, owner: 'user' })
  })
})
