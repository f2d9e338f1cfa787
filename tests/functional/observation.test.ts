import { type TestWorld, bootWorld } from '@torpor/testkit'
import { Sandbox } from 'e2b'
import { Sandbox as NovitaSandbox } from 'novita-sandbox'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'

let world: TestWorld
beforeAll(async () => {
  world = await bootWorld()
  Object.assign(process.env, world.env)
})
afterAll(async () => {
  await world?.close()
})

const mebibyte = 1024 * 1024
const ask = async (place: string): Promise<unknown> =>
  (await fetch(`${world.url}${place}`, { headers: { 'x-api-key': world.apiKey } })).json()

test('M1–M5: metrics come every two seconds from the start, and follow what the sandbox does', async () => {
  const sandbox = await NovitaSandbox.create()
  await expect.poll(async () => (await sandbox.getMetrics()).length, { timeout: 20_000, interval: 200 }).toBeGreaterThan(0)
  await sandbox.commands.run('head -c 64M /dev/urandom > /dev/shm/held; head -c 32M /dev/urandom > /home/user/written')
  const busy = await sandbox.commands.run('while true; do :; done', { background: true })
  const latest = async () => (await Sandbox.getMetrics(sandbox.sandboxId)).at(-1)
  await expect.poll(async () => (await latest())?.cpuUsedPct ?? 0, { timeout: 30_000, interval: 500 }).toBeGreaterThan(20)
  await expect.poll(async () => (await latest())?.memUsed ?? 0, { timeout: 20_000, interval: 500 }).toBeGreaterThan(64 * mebibyte)
  expect(await latest()).toMatchObject({ cpuCount: 2, memTotal: 1024 * mebibyte, diskTotal: 20_480 * mebibyte })
  expect((await latest())?.diskUsed).toBeGreaterThan(32 * mebibyte)
  await busy.kill()
  const times = (await Sandbox.getMetrics(sandbox.sandboxId)).map(({ timestamp }) => timestamp.getTime())
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0))
  expect(Math.max(...gaps)).toBeLessThan(6000)
  const { startedAt } = await sandbox.getInfo()
  expect((times[0] ?? 0) - startedAt.getTime()).toBeLessThan(3000)
  await sandbox.kill()
  // One more right before the end, readable after it.
  const after = z.array(z.unknown()).parse(await ask(`/sandboxes/${sandbox.sandboxId}/metrics`))
  expect(after.length).toBeGreaterThan(times.length)
})

const logs = z.object({ logs: z.array(z.object({ level: z.string(), message: z.string(), fields: z.record(z.string(), z.string()) })) })

test('the log has the life of the sandbox and its processes, in order, and stays after its end', async () => {
  const sandbox = await Sandbox.create()
  await sandbox.commands.run('echo hello')
  await sandbox.commands.run('exit 3').catch(() => undefined)
  await sandbox.pause()
  await sandbox.connect()
  await sandbox.commands.run('echo again')
  await sandbox.kill()
  const { logs: entries } = logs.parse(await ask(`/v2/sandboxes/${sandbox.sandboxId}/logs`))
  const life = entries.flatMap(({ fields }) => fields['event'] ?? [])
  expect(life).toEqual(['created', 'pausing', 'paused', 'resumed', 'killed'])
  const text = entries.map((entry) => JSON.stringify(entry)).join('\n')
  for (const command of ['echo hello', 'exit 3', 'echo again']) expect(text).toContain(command)
  const found = logs.parse(await ask(`/v2/sandboxes/${sandbox.sandboxId}/logs?search=hello&direction=backward`))
  expect(found.logs.length).toBeGreaterThan(0)
})
