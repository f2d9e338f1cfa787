import { describe, expect, test } from 'vitest'

import { ActivityTable } from './activity-table.ts'

describe('ActivityTable', () => {
  test('counts what is in progress and knows when the last one began or ended', () => {
    let now = 1000
    const table = new ActivityTable(() => now)
    expect(table.of('a')).toBeUndefined()
    const [first, second] = [table.begin('a'), table.begin('a')]
    expect(table.of('a')).toMatchObject({ open: 2, lastAt: 1000 })
    now = 2000
    first()
    first()
    expect(table.of('a')).toMatchObject({ open: 1, lastAt: 2000 })
    now = 3000
    second()
    expect(table.of('a')).toMatchObject({ open: 0, lastAt: 3000 })
  })

  test('a touch counts as use, and leaves what is in progress as it is', () => {
    const table = new ActivityTable(() => 7000)
    table.begin('a')
    table.touch('a')
    table.touch('b')
    expect([table.of('a'), table.of('b')]).toEqual([
      { open: 1, lastAt: 7000 },
      { open: 0, lastAt: 7000 },
    ])
  })

  test('does not remember again what it was told to forget', () => {
    const table = new ActivityTable()
    const end = table.begin('a')
    table.forget('a')
    end()
    expect(table.of('a')).toBeUndefined()
  })

  test('forgets the sandbox that was idle longest when there are too many, and never a busy one', () => {
    const table = new ActivityTable(Date.now, 2)
    table.begin('busy')
    table.begin('old')()
    table.begin('older than it looks')()
    table.begin('old')()
    expect([table.of('busy')?.open, table.of('old')?.open, table.of('older than it looks')?.open]).toEqual([1, 0, undefined])
  })
})
