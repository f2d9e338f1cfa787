import { TorporError } from '@torpor/contract'
import { describe, expect, it } from 'vitest'

import { World, executionOf } from '../testing/world.ts'

const broken = new TorporError('internal', 'ordered by the test')

describe('create', () => {
  it('gives a running sandbox that has its identity, its token and its variables', async () => {
    await using world = await World.open()
    const record = await world.create({ env: { A: 'b' }, metadata: { user: 'ada' } })
    expect(record).toMatchObject({ state: 'running', generation: 0, image: null, alias: 'base', metadata: { user: 'ada' } })
    expect(world.record(record.id)).toEqual(record)
    expect(world.memoryOf(record.id).identity).toMatchObject({
      sandboxId: record.id,
      templateId: record.templateId,
      hostname: record.id,
      accessToken: `access-${record.id}`,
      envVars: { A: 'b' },
      nameservers: ['169.254.53.53'],
    })
    expect(world.events(record.id).map(({ name, reason }) => [name, reason])).toEqual([['created', 'api']])
  })

  it('makes it reachable, with the tokens that its options ask for', async () => {
    await using world = await World.open()
    const { id, execution } = await world.create()
    const [observed] = (await world.engine.list()).filter((entry) => entry.execution === execution)
    const route = { sandboxId: id, address: observed?.address, accessToken: `access-${id}`, trafficToken: null, maskRequestHost: null }
    expect(world.life.routes.of(id)).toEqual(route)
    const network = { allowInternetAccess: false, allowOut: [], denyOut: [], allowPublicTraffic: false, maskRequestHost: 'a:${PORT}' }
    const other = await world.create({ secure: false, network })
    expect(world.life.routes.of(other.id)).toMatchObject({
      accessToken: null,
      trafficToken: `traffic-${other.id}`,
      maskRequestHost: 'a:${PORT}',
    })
    expect(world.memoryOf(other.id).identity).not.toHaveProperty('accessToken')
  })

  it('gives it the time that was asked for, or the default', async () => {
    await using world = await World.open()
    const now = world.life.clock.now()
    expect(await world.create({ timeoutSeconds: 15 })).toMatchObject({ endAt: now + 15_000, timeoutSeconds: 15 })
    expect(await world.create()).toMatchObject({ endAt: now + 300_000, timeoutSeconds: 300, startedAt: now, createdAt: now })
  })

  it('restores the template: what that remembered is there, and copies are independent', async () => {
    await using world = await World.open()
    const [one, two] = [await world.create(), await world.create()]
    world.memoryOf(one.id).counter = 7
    expect([world.memoryOf(one.id).counter, world.memoryOf(two.id).counter]).toEqual([7, 0])
  })

  it.each(['base', 'base:default', 'default-base'])('knows the template as %s', async (template) => {
    await using world = await World.open()
    const { templateId } = await world.create({ template })
    expect(await world.create({ template: templateId })).toMatchObject({ templateId, alias: 'base' })
  })

  it.each([
    ['an unknown template', { template: 'none' }, 'not_found'],
    ['no time', { timeoutSeconds: 0 }, 'invalid_argument'],
    ['more time than the maximum', { timeoutSeconds: 86_401 }, 'invalid_argument'],
    ['a time that is no number', { timeoutSeconds: Number.NaN }, 'invalid_argument'],
  ])('refuses %s and makes nothing', async (_what, changes, kind) => {
    await using world = await World.open()
    await expect(world.create(changes)).rejects.toMatchObject({ kind })
    expect([world.store.allSandboxes(), await world.engine.list()]).toEqual([[], []])
  })
})

describe('a create that fails', () => {
  const steps: readonly [string, (world: World) => void][] = [
    ['the restore', ({ engine }) => engine.faults.failNext('restore', broken)],
    ['the health check', ({ life }) => life.agentFaults.failNext('healthy', broken)],
    ['the init', ({ life }) => life.agentFaults.failNext('init', broken)],
    ['the commit of the record', ({ life }) => life.watched.failNextUpdate(({ state }) => state === 'running', broken)],
  ]

  it.each(steps)('at %s says so, leaves nothing behind, and the next one succeeds', async (_step, order) => {
    await using world = await World.open()
    for (let run = 0; run < 2; run += 1) {
      order(world)
      await expect(world.create()).rejects.toBe(broken)
      expect([world.store.allSandboxes(), await world.engine.list()]).toEqual([[], []])
      expect(world.life.log.filter(({ level }) => level === 'error')).toEqual([])
    }
    const { id } = await world.create()
    expect(world.life.routes.of(id)?.address).toMatch(/^127\./)
  })

  it('shows nobody the sandbox before it is ready', async () => {
    await using world = await World.open()
    const held = world.life.agentFaults.hold('init')
    const created = world.create()
    await held.reached
    const [record] = world.store.allSandboxes()
    expect(record?.state).toBe('creating')
    expect(() => world.record(record?.id ?? '')).toThrow(expect.objectContaining({ kind: 'not_found' }))
    expect(world.useCases.listSandboxes({ states: ['running', 'paused'], metadata: {}, order: 'asc', limit: 9 }).sandboxes).toEqual([])
    held.release()
    await created
  })
})

describe('admission', () => {
  it('refuses what does not fit beside the running ones with 429, and takes it when one is gone', async () => {
    await using world = await World.open({ memoryLimitMiB: 256 })
    const [first] = [await world.create(), await world.create()]
    const refused = expect.objectContaining({ kind: 'exhausted', status: 429, message: expect.stringContaining('TORPOR_MAX_MEMORY') })
    await expect(world.create()).rejects.toEqual(refused)
    await world.useCases.pauseSandbox(first.id)
    const third = await world.create()
    await expect(world.useCases.connectSandbox(first.id)).rejects.toEqual(refused)
    await world.useCases.killSandbox(third.id)
    await world.useCases.connectSandbox(first.id)
  })

  it('counts creates in progress: of five at once for room of two, two succeed', async () => {
    await using world = await World.open({ memoryLimitMiB: 256 })
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => world.create()))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
    expect(await world.engine.list()).toHaveLength(2)
  })

  it('counts resumes in progress: of three from images for room of two, two succeed and one sleeps on', async () => {
    await using world = await World.open({ memoryLimitMiB: 256 })
    const ids: string[] = []
    for (let count = 0; count < 3; count += 1) ids.push((await world.createAsleep()).id)
    const outcomes = await Promise.allSettled(ids.map((id) => world.useCases.connectSandbox(id)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(2)
    expect(world.store.allSandboxes('paused')).toHaveLength(1)
    expect(outcomes.filter(({ status }) => status === 'rejected')).toMatchObject([{ reason: { kind: 'exhausted' } }])
  })

  it('does not count what sleeps', async () => {
    await using world = await World.open({ memoryLimitMiB: 128 })
    for (let count = 0; count < 3; count += 1) await world.createPaused()
    expect(world.store.allSandboxes('paused').map((record) => executionOf(record))).toHaveLength(3)
  })
})
