import { listedSandbox } from '@torpor/contract'
import { describe, expect, test } from 'vitest'
import { array } from 'zod'

import { startApi } from '../testing/fake-core.ts'

describe('the list', () => {
  test('asks core for both states, newest first, without a filter', async () => {
    const { ask, core } = startApi()
    await ask('GET /v2/sandboxes')
    expect(core.asked[0]?.with).toEqual({ states: ['running', 'paused'], metadata: {}, template: undefined, order: 'desc', limit: 100 })
  })

  test('passes on every filter', async () => {
    const { ask, core } = startApi()
    const query = 'state=paused&metadata=a%252520b%3Dc%25252Fd&limit=7&template=base&order=asc&startedAfter=2026-01-01T00:00:00.5%2B01:00'
    expect((await ask(`GET /v2/sandboxes?${query}`)).status).toBe(200)
    const startedAfter = Date.parse('2025-12-31T23:00:00.500Z')
    expect(core.asked[0]?.with).toEqual({
      states: ['paused'],
      metadata: { 'a b': 'c/d' },
      template: 'base',
      order: 'asc',
      limit: 7,
      startedAfter,
    })
  })

  test.each(['state=running,paused', 'state=running&state=paused', 'state=running%2Cpaused'])('takes several states: %s', async (query) => {
    const { ask, core } = startApi()
    await ask(`GET /v2/sandboxes?${query}`)
    expect(core.asked[0]?.with).toMatchObject({ states: ['running', 'paused'] })
  })

  test('has longer pages for Novita clients', async () => {
    const { ask, core } = startApi()
    await ask('GET /v2/sandboxes', { headers: { 'X-Novita-SDK-Name': 'sdk_js' } })
    expect(core.asked[0]?.with).toMatchObject({ limit: 1000 })
  })

  test.each([
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['limit=1.5', 'limit'],
    ['limit=NaN', 'limit'],
    ['state=gone', 'state'],
    ['order=up', 'order'],
    ['startedAfter=yesterday', 'startedAfter'],
    ['metadata=a', 'metadata'],
    ['nextToken=nonsense', 'nextToken'],
    ['nextToken=MjAyNi0wMS0wMVQwMDowMDowMFpfX25vbmU', 'nextToken'],
  ])('refuses %s and names it', async (query, name) => {
    const answer = await startApi().ask(`GET /v2/sandboxes?${query}`)
    expect([answer.status, await answer.json()]).toEqual([400, { code: 400, message: expect.stringMatching(new RegExp(`^${name}`)) }])
  })

  test('tells how many run in all, to who asks for the running ones only', async () => {
    const { ask, core } = startApi()
    const { usage } = core.quota()
    const total = async (query: string): Promise<string | null> => (await ask(`GET /v2/sandboxes?${query}`)).headers.get('x-total-running')
    expect([await total('state=running&limit=1'), await total('state=running,paused'), await total('')]).toEqual([
      `${usage.sandboxes}`,
      null,
      null,
    ])
  })

  test('takes parameters without a value as absent', async () => {
    expect((await startApi().ask('GET /v2/sandboxes?limit=&nextToken=&state=&metadata=&startedAfter=')).status).toBe(200)
  })

  test('leads through all pages, each sandbox once, and ends without an empty one', async () => {
    const { ask, core } = startApi()
    const ids = [5, 4, 4, 3, 2].map((startedAt) => core.add({ startedAt }).id)
    const seen: string[] = []
    let [token, pages] = ['', 0]
    do {
      const answer = await ask(`GET /v2/sandboxes?limit=1&nextToken=${token}`)
      seen.push(
        ...array(listedSandbox)
          .parse(await answer.json())
          .map(({ sandboxID }) => sandboxID),
      )
      token = answer.headers.get('x-next-token') ?? ''
      pages += 1
    } while (token !== '')
    expect(seen.toSorted()).toEqual(ids.toSorted())
    expect(pages).toBe(5)
  })

  test('shows what SDKs read', async () => {
    const { ask, core } = startApi()
    const { id } = core.add({ metadata: { a: 'b' }, state: 'paused' })
    expect(await (await ask('GET /v2/sandboxes')).json()).toEqual([
      {
        templateID: 'template0000000000000',
        sandboxID: id,
        clientID: '6532622b',
        alias: 'base',
        startedAt: '2023-11-14T22:13:20.123Z',
        endAt: '2023-11-14T22:18:20.123Z',
        cpuCount: 2,
        memoryMB: 1024,
        diskSizeMB: 10_240,
        state: 'paused',
        envdVersion: '0.6.13',
        metadata: { a: 'b' },
      },
    ])
  })

  test('of old clients is all running sandboxes in one answer', async () => {
    const { ask, core } = startApi()
    for (let count = 0; count < 1500; count++) core.add()
    core.add({ state: 'paused' })
    expect(await (await ask('GET /sandboxes?metadata=a%3Db')).json()).toHaveLength(1500)
    expect(core.asked[0]?.with).toMatchObject({ states: ['running'], metadata: { a: 'b' } })
  })
})
