import { expect, it } from 'vitest'

import { World } from '../testing/world.ts'

const all = { states: ['running', 'paused'], metadata: {}, order: 'desc', limit: 100 } as const

it('P14 lists page by page, each sandbox once, and knows its last page', async () => {
  await using world = await World.open({ memoryLimitMiB: 10_000 })
  const ids: string[] = []
  for (let count = 0; count < 4; count += 1) ids.push((await world.createPaused()).id)
  const pages: string[][] = []
  let page = world.useCases.listSandboxes({ ...all, states: ['paused'], limit: 2 })
  pages.push(page.sandboxes.map(({ id }) => id))
  while (page.next) {
    page = world.useCases.listSandboxes({ ...all, states: ['paused'], limit: 2, after: page.next })
    pages.push(page.sandboxes.map(({ id }) => id))
  }
  expect(pages.map((each) => each.length)).toEqual([2, 2])
  expect(pages.flat().sort()).toEqual(ids.sort())
})

it('filters by state, metadata, start and template, by any of its names', async () => {
  await using world = await World.open()
  const first = await world.create({ metadata: { user: 'ada' } })
  await world.life.clock.advance(1000)
  const second = await world.createPaused({ metadata: { user: 'bob' } })
  const ids = (changes: object): string[] => world.useCases.listSandboxes({ ...all, ...changes }).sandboxes.map(({ id }) => id)
  expect(ids({})).toEqual([second.id, first.id])
  expect(ids({ order: 'asc' })).toEqual([first.id, second.id])
  expect([ids({ states: ['paused'] }), ids({ metadata: { user: 'ada' } })]).toEqual([[second.id], [first.id]])
  expect(ids({ startedAfter: second.startedAt })).toEqual([second.id])
  expect([ids({ template: 'default-base' }).length, ids({ template: first.templateId }).length, ids({ template: 'none' }).length]).toEqual([
    2, 2, 0,
  ])
})
