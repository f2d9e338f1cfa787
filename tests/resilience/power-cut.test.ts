import { type MortalServer, bootMortal } from '@torpor/testkit'
import { NotFoundError, Sandbox } from 'e2b'
import { afterAll, beforeAll, expect, test } from 'vitest'

let server: MortalServer
beforeAll(async () => {
  server = await bootMortal({ TORPOR_WARM_POOL: '1' })
  Object.assign(process.env, server.env)
})
afterAll(async () => {
  await server?.close()
  await server?.remove()
})

test('after a restart of the machine paused sandboxes resume with their memory, running ones are reported ended, with the reason', async () => {
  const [running, asleep] = await Promise.all([Sandbox.create(), Sandbox.create()])
  await asleep.files.write('/dev/shm/kept', 'in memory')
  await asleep.commands.run('nohup sleep 100000 >/dev/null 2>&1 &')
  const { snapshotId } = await running.createSnapshot()
  await asleep.pause()
  await server.powerCut()
  await server.restart()
  await expect(running.getInfo()).rejects.toBeInstanceOf(NotFoundError)
  const events = await fetch(`${server.env['E2B_API_URL']}/sandboxes/events?sandboxID=${running.sandboxId}`, {
    headers: { 'x-api-key': server.env['E2B_API_KEY'] ?? '' },
  })
  expect(await events.json()).toMatchObject({ items: expect.arrayContaining([expect.objectContaining({ reason: 'lost' })]) })
  await asleep.connect()
  expect(await asleep.files.read('/dev/shm/kept')).toBe('in memory')
  expect((await asleep.commands.run('pgrep -c sleep')).stdout).toBe('1\n')
  const made = await Sandbox.create(snapshotId)
  await Promise.all([asleep.kill(), made.kill()])
  await Sandbox.deleteSnapshot(snapshotId)
})
