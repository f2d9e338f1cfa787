import type { ListQuery, SandboxRecord } from '@torpor/core'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'

import { sampleEvent, sampleSandbox } from './samples.ts'
import { temporaryStore } from './temporary-store.ts'

const everything: ListQuery = { states: ['running', 'paused'], metadata: {}, order: 'desc', limit: 1000 }

/** The list in words of JavaScript: the model that SQL must agree with. */
function model(records: readonly SandboxRecord[], query: ListQuery): SandboxRecord[] {
  const sign = query.order === 'asc' ? 1 : -1
  const compare = (a: Pick<SandboxRecord, 'startedAt' | 'id'>, b: Pick<SandboxRecord, 'startedAt' | 'id'>): number =>
    sign * (a.startedAt - b.startedAt) || (a.id < b.id ? -1 : Number(a.id > b.id))
  const { states, metadata, templateId, startedAfter, after } = query
  return records
    .filter((record) => states.some((state) => state === record.state))
    .filter((record) =>
      Object.entries(metadata).every(([key, value]) => Object.hasOwn(record.metadata, key) && record.metadata[key] === value),
    )
    .filter((record) => templateId === undefined || record.templateId === templateId)
    .filter((record) => startedAfter === undefined || record.startedAt >= startedAfter)
    .filter((record) => !after || compare(record, after) > 0)
    .sort(compare)
    .slice(0, query.limit)
}

// The wire's schemas drop `__proto__`: no record ever has it.
const text = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    '$.a',
    'a.b',
    '"',
    "'",
    '\\',
    '\\"',
    'a"b',
    '[0]',
    '%',
    '_',
    'null',
    '1',
    'ключ',
    '🗝',
    '\n',
    '\u0000',
    'constructor',
  ),
  fc.string({ maxLength: 4, unit: 'binary' }).filter((word) => word !== '__proto__'),
)
// JSON.parse of V8 13.6 takes an escaped key for the `\\` of an object that it read before: no mistake of the store's.
const key = text.filter((word) => word !== '\\')
const metadata = fc.dictionary(key, text, { maxKeys: 3, noNullPrototype: true })
const few = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values)

const record = fc
  .record({
    state: few<SandboxRecord['state']>('creating', 'running', 'paused'),
    templateId: few('template1', 'template2'),
    startedAt: few(1, 2, 3),
    metadata,
  })
  .map((patch) => sampleSandbox(patch))
const records = fc.array(record, { maxLength: 12 }).map((list) => list.map((one, index) => ({ ...one, id: `i${index * 7919}` })))
const query = fc.record(
  {
    states: fc.subarray<'running' | 'paused'>(['running', 'paused']),
    metadata,
    templateId: few('template1', 'template2', 'base'),
    startedAfter: few(0, 1, 2, 3, 4),
    order: few<'asc' | 'desc'>('asc', 'desc'),
    after: fc.record({ startedAt: few(0, 1, 2, 3, 4), id: few('', 'i0', 'i15838', 'i7919', 'z') }),
    limit: fc.integer({ min: 1, max: 13 }),
  },
  { requiredKeys: ['states', 'metadata', 'order', 'limit'] },
)

it('lists exactly what the filter allows, in order', () => {
  using temporary = temporaryStore()
  const { store } = temporary
  fc.assert(
    fc.property(records, query, fc.nat(), (all, wanted, choice) => {
      for (const { id } of store.allSandboxes()) store.deleteSandbox(id, sampleEvent())
      for (const one of all) store.insertSandbox(one)
      expect(store.listSandboxes(wanted)).toEqual(model(all, wanted))
      // Drawn metadata rarely meet: ask for what one of them has.
      const chosen = { ...wanted, metadata: all[choice % all.length]?.metadata ?? {} }
      expect(store.listSandboxes(chosen)).toEqual(model(all, chosen))
    }),
    { numRuns: 150 },
  )
})

it.each(['asc', 'desc'] as const)('yields each sandbox once over pages, also where starts are equal (%s)', (order) => {
  using temporary = temporaryStore()
  const { store } = temporary
  const all = Array.from({ length: 23 }, (_, index) => sampleSandbox({ id: `i${(index * 7) % 23}`, startedAt: index % 3 }))
  for (const one of all) store.insertSandbox(one)
  const seen: SandboxRecord[] = []
  for (let page = store.listSandboxes({ ...everything, order, limit: 4 }); page.length > 0;) {
    seen.push(...page)
    const last = page.at(-1)
    if (last) page = store.listSandboxes({ ...everything, order, limit: 4, after: { startedAt: last.startedAt, id: last.id } })
  }
  expect(seen).toEqual(model(all, { ...everything, order }))
})

it('does not show sandboxes that are being created', () => {
  using temporary = temporaryStore()
  temporary.store.insertSandbox(sampleSandbox({ state: 'creating' }))
  expect(temporary.store.listSandboxes(everything)).toEqual([])
})

it('wants every pair of the filter', () => {
  using temporary = temporaryStore()
  const { store } = temporary
  store.insertSandbox(sampleSandbox({ metadata: { user: 'ada', run: '1' } }))
  const ids = (pairs: Record<string, string>): number => store.listSandboxes({ ...everything, metadata: pairs }).length
  expect([ids({ user: 'ada' }), ids({ user: 'ada', run: '1' }), ids({ user: 'ada', run: '2' }), ids({ ada: 'user' })]).toEqual([1, 1, 0, 0])
})
