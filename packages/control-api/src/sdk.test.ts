import { once } from 'node:events'
import { type Server, createServer } from 'node:http'

import { getRequestListener } from '@hono/node-server'
import { RateLimitError, Sandbox as E2bSandbox, SandboxNotFoundError } from 'e2b'
import { Sandbox as NovitaSandbox } from 'novita-sandbox'
import { afterEach, describe, expect, test } from 'vitest'
import { int, object } from 'zod'

import { key, startApi } from './testing/fake-core.ts'
import { newEvent } from './testing/samples.ts'

const nowhere = 'iabcdefghij0123456789'
const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections()
})

/** The API behind a real listener, and the options that lead an SDK there. */
async function serve() {
  const { api, core } = startApi()
  const respond = getRequestListener(api.fetch)
  const server = createServer((request, response) => void respond(request, response))
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = object({ port: int() }).parse(server.address())
  return { core, options: { apiUrl: `http://127.0.0.1:${port}`, apiKey: key } }
}

/** All pages of a list. */
async function everything<Item>(paginator: { readonly hasNext: boolean; nextItems(): Promise<Item[]> }): Promise<Item[]> {
  const items: Item[] = []
  while (paginator.hasNext) items.push(...(await paginator.nextItems()))
  return items
}

describe('e2b', () => {
  test('pauses: true, then false; keepMemory: false keeps the files only', async () => {
    const { core, options } = await serve()
    const { id } = core.add()
    expect([await E2bSandbox.pause(id, options), await E2bSandbox.pause(id, options)]).toEqual([true, false])
    expect(core.asked[0]?.with).toEqual({ kind: 'memory', until: 'durable' })
    await E2bSandbox.pause(core.add().id, { ...options, keepMemory: false })
    expect(core.asked.at(-1)?.with).toEqual({ kind: 'files', until: 'durable' })
  })

  test('creates with a lifecycle that keeps the files only, and connects to reboot them', async () => {
    const { core, options } = await serve()
    const lifecycle = { onTimeout: { action: 'pause', keepMemory: false } } as const
    const { sandboxId } = await E2bSandbox.create('base', { ...options, lifecycle })
    expect(core.asked[0]?.with).toMatchObject({ lifecycle: { onTimeout: 'pause', pauseKind: 'files' } })
    const record = core.getSandbox(sandboxId)
    core.records.set(sandboxId, { ...record, state: 'paused', image: { name: 'i', kind: 'files', engineVersion: 'e' } })
    expect((await E2bSandbox.connect(sandboxId, { ...options, onResume: 'reboot' })).sandboxId).toBe(sandboxId)
    expect(core.asked.at(-1)?.with).toMatchObject({ reboot: true })
  })

  test('forks: a sandbox or an error for each', async () => {
    const { core, options } = await serve()
    const { id } = core.add()
    const [first, second, third] = await E2bSandbox.fork(id, { ...options, count: 3, timeoutMs: 60_000 })
    expect([first, second, third]).toEqual([expect.any(E2bSandbox), expect.any(RateLimitError), expect.any(E2bSandbox)])
    expect(core.records.has(first instanceof E2bSandbox ? first.sandboxId : '')).toBe(true)
    expect(core.asked[0]?.with).toEqual({ count: 3, timeoutSeconds: 60 })
    await expect(E2bSandbox.fork(nowhere, options)).rejects.toThrow(SandboxNotFoundError)
  })

  test('makes, lists and deletes snapshots, named and unnamed', async () => {
    const { core, options } = await serve()
    const { id } = core.add()
    const unnamed = await E2bSandbox.createSnapshot(id, options)
    const named = await E2bSandbox.createSnapshot(id, { ...options, name: 'nightly' })
    expect(unnamed).toEqual({ snapshotId: expect.stringMatching(/^[a-z0-9]{20}:default$/), names: [] })
    expect(named).toEqual({ snapshotId: 'local/nightly:default', names: ['local/nightly'] })
    expect(await everything(E2bSandbox.listSnapshots({ ...options, limit: 1 }))).toEqual([named, unnamed])
    expect(await everything(E2bSandbox.listSnapshots({ ...options, name: 'unknown' }))).toEqual([])
    for (const { snapshotId } of [named, unnamed]) {
      expect([await E2bSandbox.deleteSnapshot(snapshotId, options), await E2bSandbox.deleteSnapshot(snapshotId, options)]).toEqual([
        true,
        false,
      ])
    }
    await expect(E2bSandbox.createSnapshot(nowhere, options)).rejects.toThrow(SandboxNotFoundError)
  })

  test('D3 D7 lists with filters, page by page, each sandbox once', async () => {
    const { core, options } = await serve()
    const paused = core.add({ state: 'paused' })
    const running = [core.add(), core.add()]
    core.shown.set(running[0]?.id ?? '', { state: 'snapshotting' })
    const startedAfter = new Date(1_600_000_000_000)
    const query = { state: ['running' as const], metadata: { 'a b': 'c/d' }, template: 'base', startedAfter }
    const listed = await everything(E2bSandbox.list({ ...options, query, order: 'asc', limit: 1 }))
    expect(listed.map(({ sandboxId }) => sandboxId).toSorted()).toEqual(running.map(({ id }) => id).toSorted())
    expect(listed.map(({ state }) => state).toSorted()).toEqual(['running', 'snapshotting'])
    const expected = {
      states: ['running'],
      metadata: { 'a b': 'c/d' },
      template: 'base',
      order: 'asc',
      startedAfter: startedAfter.getTime(),
    }
    expect(core.asked[0]?.with).toMatchObject(expected)
    expect(await everything(E2bSandbox.list({ ...options, query: { state: ['paused'] } }))).toMatchObject([
      { sandboxId: paused.id, state: 'paused' },
    ])
  })
})

describe('novita-sandbox', () => {
  test('P8 pauses: true as soon as it stands still, then false', async () => {
    const { core, options } = await serve()
    const { id } = core.add()
    expect([await NovitaSandbox.betaPause(id, options), await NovitaSandbox.pause(id, options)]).toEqual([true, false])
    expect(core.asked[0]?.with).toEqual({ kind: 'memory', until: 'frozen' })
  })

  test('C4 C7 clones', async () => {
    const { core, options } = await serve()
    const { id } = core.add()
    const { sandboxes } = await NovitaSandbox.clone(id, { ...options, count: 2, strict: true, timeoutMs: 100_000, nodeId: 'n' })
    expect(sandboxes.map(({ sandboxId }) => core.records.has(sandboxId))).toEqual([true, true])
    expect(core.asked[0]?.with).toEqual({ count: 2, strict: true, timeoutSeconds: 100 })
    await expect(NovitaSandbox.clone(id, { ...options, count: 0 })).rejects.toThrow(/count: must be 1 or more/)
    await expect(NovitaSandbox.clone(nowhere, options)).rejects.toThrow(/not found/)
  })

  test('resets: true, and false when there is nothing to go back to', async () => {
    const { core, options } = await serve()
    const origin = core.add({ state: 'paused' })
    const orphan = core.add({ templateId: 'deleted' })
    expect(await NovitaSandbox.reset(origin.id, { ...options, resume: false, timeoutMs: 60_000 })).toBe(true)
    expect(core.asked[0]?.with).toEqual({ resume: false, timeoutSeconds: 60, snapshot: undefined })
    expect(await NovitaSandbox.reset(orphan.id, options)).toBe(false)
    await expect(NovitaSandbox.reset(nowhere, options)).rejects.toThrow(/not found/)
  })

  test('makes, lists and deletes snapshots', async () => {
    const { core, options } = await serve()
    const { id } = core.add()
    const { snapshotId } = await NovitaSandbox.createSnapshot(id, options)
    expect(await everything(NovitaSandbox.listSnapshots({ ...options, sandboxId: id }))).toEqual([{ snapshotId }])
    expect(await NovitaSandbox.deleteSnapshot(snapshotId, options)).toBe(true)
    expect(await NovitaSandbox.deleteSnapshot('local/a:b', options)).toBe(false)
    expect(core.asked.at(-1)?.with).toBe('local/a:b')
  })

  test('reads quota and events', async () => {
    const { core, options } = await serve()
    const { limit, usage } = await NovitaSandbox.getQuota(options)
    expect([limit, usage]).toMatchObject([
      { concurrentInstances: 20, concurrentRamMb: 8192, maxLengthHours: 24 },
      { concurrentInstances: 2, concurrentVcpu: 4, concurrentRamMb: 2048 },
    ])
    core.recorded.push(newEvent({ number: 2, name: 'paused' }), newEvent())
    const asked = { startTime: 1_699_999_999, endTime: 1_700_000_001, events: 'create,pause', state: 'success', orderAsc: true, limit: 1 }
    const { items, total, hasMore } = await NovitaSandbox.getEvents({ ...options, ...asked })
    expect(items).toMatchObject([{ eventName: 'pause', state: 'success', statusCode: 204, recordAt: 1_700_000_000, templateName: 'base' }])
    expect([total, hasMore]).toEqual([2, true])
    const expected = { from: 1_699_999_999_000, to: 1_700_000_001_999, names: ['created', 'paused'], order: 'asc', limit: 1 }
    expect(core.asked.at(-1)?.with).toMatchObject(expected)
  })

  test('D2 D5 lists with filters', async () => {
    const { core, options } = await serve()
    const { id } = core.add({ state: 'paused', metadata: { a: 'b' } })
    core.add()
    expect(await everything(NovitaSandbox.list({ ...options, query: { state: ['paused'], metadata: { a: 'b' } } }))).toMatchObject([
      { sandboxId: id, state: 'paused', metadata: { a: 'b' } },
    ])
    expect(await everything(NovitaSandbox.list({ ...options, limit: 1 }))).toHaveLength(2)
    expect(core.asked[0]?.with).toMatchObject({ states: ['paused'], metadata: { a: 'b' }, limit: 1000 })
  })
})
