import { readdirSync, statSync } from 'node:fs'
import path from 'node:path'

import type { SandboxEvent, Store } from '@torpor/core'
import { expect, it } from 'vitest'

import { sampleEvent, sampleSandbox, sampleSnapshot, sampleTemplate } from './samples.ts'
import { openStore } from './sqlite-store.ts'
import { temporaryStore } from './temporary-store.ts'

const paused = sampleSandbox({
  id: 'i00000000000000000002',
  alias: null,
  state: 'paused',
  generation: 7,
  execution: null,
  image: { name: 'i00000000000000000002/g7', kind: 'memory' as const, engineVersion: 'fake-1' },
  pausing: null,
  damage: 'a page differs',
  pausedAt: 5000,
  lifecycle: { onTimeout: 'pause', autoResume: true, pauseKind: 'files' },
  metadata: { "it's": '"quoted"', 'a.b.c': '[0]', 'ключ 🗝': '値', '': 'empty', '$.x': '\\', 'line\nbreak': '\u0000\u001f' },
  env: { A: "'; DROP TABLE sandbox; --" },
  network: { allowInternetAccess: false, allowOut: [], denyOut: [], allowPublicTraffic: false, maskRequestHost: 'host:${PORT}' },
  secure: false,
})

const eventsOf = (store: Store, sandboxId: string): SandboxEvent[] =>
  store.events({ sandboxId, order: 'asc', offset: 0, limit: 100 }).events.map(({ number: _number, ...event }) => event)

it('gives a record back as it was put in', () => {
  using temporary = temporaryStore()
  const { store } = temporary
  for (const record of [sampleSandbox(), paused]) {
    store.insertSandbox(record)
    expect(store.getSandbox(record.id)).toEqual(record)
  }
  expect(store.getSandbox('i0000000000000000000x')).toBeUndefined()
})

it('refuses a second record of one id with conflict', () => {
  using temporary = temporaryStore()
  temporary.store.insertSandbox(sampleSandbox())
  expect(() => temporary.store.insertSandbox(sampleSandbox())).toThrow(expect.objectContaining({ kind: 'conflict' }))
})

it('gives all records, or those of one state', () => {
  using temporary = temporaryStore()
  const { store } = temporary
  const creating = sampleSandbox({ id: 'i00000000000000000003', state: 'creating' })
  for (const record of [sampleSandbox(), paused, creating]) store.insertSandbox(record)
  expect(store.allSandboxes().map(({ id }) => id)).toHaveLength(3)
  expect(store.allSandboxes('creating')).toEqual([creating])
  expect(store.allSandboxes('paused')).toEqual([paused])
})

it('changes a record that is as expected, and nothing else of it', () => {
  using temporary = temporaryStore()
  const { store } = temporary
  const before = sampleSandbox()
  store.insertSandbox(before)
  const patch = {
    state: 'paused' as const,
    generation: 1,
    execution: null,
    image: { name: 'i/g1', kind: 'memory' as const, engineVersion: 'v' },
    pausedAt: 9000,
    startedAt: 2000,
    endAt: 3000,
    timeoutSeconds: 15,
    lifecycle: { onTimeout: 'pause' as const, autoResume: true, pauseKind: 'files' as const },
  }
  const after = store.updateSandbox(before, patch)
  expect(after).toEqual({ ...before, ...patch })
  expect(store.getSandbox(before.id)).toEqual(after)
  expect(store.updateSandbox({ ...before, ...patch }, { image: null, pausedAt: null })).toMatchObject({ image: null, pausedAt: null })
})

it.each([
  ['state', { state: 'paused' as const }],
  ['generation', { generation: 1 }],
  ['execution', { execution: 'x2' }],
  ['execution, which is none', { execution: null }],
  ['id', { id: 'i0000000000000000000x' }],
])('changes nothing when %s is not as expected', (_what, other) => {
  using temporary = temporaryStore()
  const { store } = temporary
  const record = sampleSandbox()
  store.insertSandbox(record)
  expect(store.updateSandbox({ ...record, ...other }, { endAt: 1 })).toBeUndefined()
  expect(store.getSandbox(record.id)).toEqual(record)
})

it('lets one of two deciders win', () => {
  using temporary = temporaryStore()
  const { store } = temporary
  const seen = { ...sampleSandbox(), execution: null }
  store.insertSandbox(seen)
  const second = openStore(temporary.file)
  const results = [store.updateSandbox(seen, { execution: 'x2' }), second.updateSandbox(seen, { execution: 'x3' })]
  second.close()
  expect(results.map((record) => record?.execution)).toEqual(['x2', undefined])
})

it('names what all records were made with, once each', () => {
  using temporary = temporaryStore()
  const { store } = temporary
  expect(store.namedArtifacts()).toEqual({ rootfs: [], agents: [], engines: [] })
  const image = { name: 'i/g1', kind: 'memory' as const, engineVersion: 'e1' }
  store.insertSandbox(sampleSandbox({ image, base: { rootfs: 'r1', agent: 'a1' } }))
  store.insertSandbox(sampleSandbox({ id: 'i00000000000000000002', base: { rootfs: 'r2', agent: 'a1' } }))
  store.putTemplate(sampleTemplate({ base: { rootfs: 'r3', agent: 'a3' } }))
  const { rootfs, agents, engines } = store.namedArtifacts()
  expect([rootfs.toSorted(), agents.toSorted(), engines.toSorted()]).toEqual([
    ['r1', 'r2', 'r3'],
    ['a1', 'a3'],
    ['e1', 'fake-1'],
  ])
})

it('compares for an empty patch too', () => {
  using temporary = temporaryStore()
  const { store } = temporary
  const record = sampleSandbox()
  store.insertSandbox(record)
  expect(store.updateSandbox(record, {})).toEqual(record)
  expect(store.updateSandbox({ ...record, generation: 5 }, {})).toBeUndefined()
})

it('keeps the event of a change that was made, and of no other', () => {
  using temporary = temporaryStore()
  const { store } = temporary
  const record = sampleSandbox()
  store.insertSandbox(record)
  const event = sampleEvent({ name: 'paused' })
  expect(store.updateSandbox({ ...record, generation: 9 }, { generation: 10 }, event)).toBeUndefined()
  expect(eventsOf(store, record.id)).toEqual([])
  expect(store.updateSandbox(record, { generation: 1 }, event)?.generation).toBe(1)
  expect(eventsOf(store, record.id)).toEqual([event])
})

it('changes nothing when the event cannot be kept', () => {
  using temporary = temporaryStore()
  const { store } = temporary
  const record = sampleSandbox()
  store.insertSandbox(record)
  const nameless = { ...sampleEvent(), reason: null }
  // @ts-expect-error a reason must be there: the database refuses the row
  expect(() => store.updateSandbox(record, { generation: 1 }, nameless)).toThrow(expect.objectContaining({ kind: 'conflict' }))
  expect(store.getSandbox(record.id)).toEqual(record)
})

it('keeps the event of a deleted record, once', () => {
  using temporary = temporaryStore()
  const { store } = temporary
  const { id } = sampleSandbox()
  store.insertSandbox(sampleSandbox())
  const created = sampleEvent({ name: 'created', at: 9000 })
  store.recordEvent(created)
  expect([store.deleteSandbox(id, sampleEvent()), store.deleteSandbox(id, sampleEvent())]).toEqual([true, false])
  expect(store.getSandbox(id)).toBeUndefined()
  expect(eventsOf(store, id)).toEqual([created, sampleEvent()])
  expect(eventsOf(store, 'another')).toEqual([])
})

it('finds a template by its id and by each of its names', () => {
  using temporary = temporaryStore()
  const { store } = temporary
  store.putTemplate(sampleTemplate())
  for (const key of ['template1', 'base', 'default']) expect(store.getTemplate(key)).toEqual(sampleTemplate())
  expect(store.getTemplate('Base')).toBeUndefined()
  expect(store.allTemplates()).toEqual([sampleTemplate()])
})

it('replaces a build: names that it does not have any more lead nowhere', () => {
  using temporary = temporaryStore()
  const { store } = temporary
  store.putTemplate(sampleTemplate())
  const next = sampleTemplate({ buildId: 'build2', names: ['base', 'new'] })
  store.putTemplate(next)
  expect(store.allTemplates()).toEqual([next])
  expect([store.getTemplate('new')?.buildId, store.getTemplate('default')]).toEqual(['build2', undefined])
})

it('lets a name point to the template that took it last, and an id to its own', () => {
  using temporary = temporaryStore()
  const { store } = temporary
  store.putTemplate(sampleTemplate())
  store.putTemplate(sampleTemplate({ templateId: 'template2', buildId: 'build2', names: ['base', 'template1'] }))
  store.putTemplate(sampleTemplate({ templateId: 'template0', buildId: 'build0', names: ['template2'] }))
  expect(store.getTemplate('base')?.templateId).toBe('template2')
  expect([store.getTemplate('template1')?.templateId, store.getTemplate('template2')?.templateId]).toEqual(['template1', 'template2'])
})

it('has everything again after it was closed and opened', () => {
  using temporary = temporaryStore()
  temporary.store.insertSandbox(paused)
  temporary.store.recordEvent(sampleEvent())
  temporary.store.putTemplate(sampleTemplate())
  const store = temporary.reopen()
  expect(store.getSandbox(paused.id)).toEqual(paused)
  expect(eventsOf(store, sampleEvent().sandboxId)).toEqual([sampleEvent()])
  expect(store.getTemplate('default')).toEqual(sampleTemplate())
})

it('shows a second reader what is committed', () => {
  using temporary = temporaryStore()
  const reader = openStore(temporary.file)
  temporary.store.insertSandbox(paused)
  expect(reader.getSandbox(paused.id)).toEqual(paused)
  reader.close()
})

it('keeps its files from other users of the machine', () => {
  using temporary = temporaryStore()
  temporary.store.insertSandbox(sampleSandbox())
  const directory = path.dirname(temporary.file)
  const files = readdirSync(directory)
  expect(files.length).toBeGreaterThan(1)
  for (const name of files) expect([name, statSync(path.join(directory, name)).mode & 0o777]).toEqual([name, 0o600])
})

it('takes text that looks like SQL for text', () => {
  using temporary = temporaryStore()
  const { store } = temporary
  const nasty = `'; DROP TABLE sandbox; --" OR 1=1`
  const record = sampleSandbox({ id: nasty, templateId: nasty, execution: nasty, metadata: { [nasty]: nasty } })
  store.insertSandbox(record)
  expect(store.getSandbox(nasty)).toEqual(record)
  expect(store.getTemplate(nasty)).toBeUndefined()
  const query = { states: ['running' as const], metadata: { [nasty]: nasty }, templateId: nasty, order: 'asc' as const, limit: 10 }
  expect(store.listSandboxes(query)).toEqual([record])
  expect(store.listSandboxes({ ...query, metadata: { [nasty]: "' OR 1=1 --" } })).toEqual([])
  expect(store.updateSandbox(record, { execution: "x' --" })?.execution).toBe("x' --")
})

it('gives a snapshot back by id and by name, and moves a name to the newest', () => {
  using temporary = temporaryStore()
  const { store } = temporary
  const named = sampleSnapshot({ name: 'nightly' })
  const newer = sampleSnapshot({ id: 'snapshot2', name: 'nightly', createdAt: 2000 })
  store.insertSnapshot(named, sampleEvent({ name: 'snapshotted' }))
  expect([store.getSnapshot('snapshot1'), store.getSnapshot('local/nightly:default')]).toEqual([named, named])
  store.insertSnapshot(newer, sampleEvent({ name: 'snapshotted' }))
  expect(store.getSnapshot('nightly')).toEqual(newer)
  expect(store.getSnapshot('snapshot1:default')).toEqual({ ...named, name: null })
  expect(store.getSnapshot('snapshot1:v2')).toBeUndefined()
  expect(store.listSnapshots({ limit: 10 }).map(({ id }) => id)).toEqual(['snapshot2', 'snapshot1'])
  expect([store.deleteSnapshot('snapshot2'), store.deleteSnapshot('snapshot2')]).toEqual([true, false])
})

it('knows every image that is named, and no other', () => {
  using temporary = temporaryStore()
  const { store } = temporary
  store.insertSandbox(paused)
  store.insertSandbox(sampleSandbox())
  store.insertSnapshot(sampleSnapshot(), sampleEvent())
  store.putTemplate(sampleTemplate())
  const names = store.allImages().map(({ name }) => name)
  expect(new Set(names)).toEqual(new Set(['build1/g1', paused.image?.name, 'snapshot1/g1']))
  expect(names).toHaveLength(3)
  expect([...names, 'build1/g2'].map((name) => store.isImageNamed(name))).toEqual([true, true, true, false])
})

it('finds the sandbox that a process carries, and those whose process is frozen, longest asleep first', () => {
  using temporary = temporaryStore()
  const { store } = temporary
  store.insertSandbox(sampleSandbox())
  store.insertSandbox({ ...paused, id: 'i2', execution: 'x2', pausedAt: 6000 })
  store.insertSandbox({ ...paused, id: 'i3', execution: 'x3', pausedAt: 5000 })
  store.insertSandbox({ ...paused, id: 'i4', execution: null })
  expect(store.frozenSandboxes().map(({ id }) => id)).toEqual(['i3', 'i2'])
  expect([store.sandboxOf('x2')?.id, store.sandboxOf('x9')]).toEqual(['i2', undefined])
})

it('finds events by sandbox, template, name and time, page by page in both orders', () => {
  using temporary = temporaryStore()
  const { store } = temporary
  for (const at of [1, 2, 3, 4]) store.recordEvent(sampleEvent({ at, name: at % 2 ? 'paused' : 'resumed' }))
  store.recordEvent(sampleEvent({ at: 5, sandboxId: 'another', templateId: 'template2' }))
  const times = (query: object): number[] => store.events({ order: 'asc', offset: 0, limit: 10, ...query }).events.map(({ at }) => at)
  expect(times({ sandboxId: 'another' })).toEqual([5])
  expect(times({ templateId: 'template1', names: ['paused'] })).toEqual([1, 3])
  expect(times({ from: 2, to: 4 })).toEqual([2, 3, 4])
  expect(times({ order: 'desc', offset: 1, limit: 2 })).toEqual([4, 3])
  expect(store.events({ order: 'asc', offset: 0, limit: 1 }).total).toBe(5)
})
