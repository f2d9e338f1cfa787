import { snapshotInfo } from '@torpor/contract'
import { describe, expect, test } from 'vitest'
import { array } from 'zod'

import { startApi } from '../testing/fake-core.ts'
import { newSnapshot } from '../testing/samples.ts'

describe('a snapshot', () => {
  test.each([undefined, {}, { name: undefined, future: 1 }])('without a name is known by its id: %j', async (body) => {
    const { ask, core } = startApi()
    const answer = await ask(`POST /sandboxes/${core.add().id}/snapshots`, { body })
    expect([answer.status, await answer.json()]).toEqual([201, { snapshotID: `${core.snapshots[0]?.id}:default`, names: [] }])
  })

  test('with a name is known by that', async () => {
    const { ask, core } = startApi()
    const answer = await ask(`POST /sandboxes/${core.add().id}/snapshots`, { body: { name: 'nightly' } })
    expect(await answer.json()).toEqual({ snapshotID: 'local/nightly:default', names: ['local/nightly'] })
    expect(core.asked[0]?.with).toBe('nightly')
  })

  test('whose name is no text is 400; of an unknown sandbox it is 404', async () => {
    const { ask, core } = startApi()
    expect((await ask(`POST /sandboxes/${core.add().id}/snapshots`, { body: { name: 5 } })).status).toBe(400)
    expect((await ask('POST /sandboxes/iabcdefghij0123456789/snapshots')).status).toBe(404)
  })
})

describe('the list of snapshots', () => {
  test('passes on every filter', async () => {
    const { ask, core } = startApi()
    const { id } = core.add()
    await ask('GET /snapshots')
    await ask(`GET /snapshots?sandboxID=${id}-6532622b&name=local%2Fnightly%3Av2&limit=7`)
    await ask('GET /snapshots?sandboxID=&name=&limit=&nextToken=', { headers: { 'X-Novita-SDK-Name': 'sdk_js' } })
    await ask('GET /snapshots?sandboxID=none')
    expect(core.asked.map((asked) => asked.with)).toEqual([
      { limit: 100 },
      { sandboxId: id, name: 'local/nightly:v2', limit: 7 },
      { limit: 1000 },
      { sandboxId: 'none', limit: 100 },
    ])
  })

  test('leads through all pages, each snapshot once, and ends without an empty one', async () => {
    const { ask, core } = startApi()
    core.snapshots.push(newSnapshot(), newSnapshot({ name: 'a', tag: 'v2' }), newSnapshot())
    const seen: string[] = []
    let [token, pages] = ['', 0]
    do {
      const answer = await ask(`GET /snapshots?limit=1&nextToken=${token}`)
      seen.push(
        ...array(snapshotInfo)
          .parse(await answer.json())
          .map(({ snapshotID }) => snapshotID),
      )
      token = answer.headers.get('x-next-token') ?? ''
      pages += 1
    } while (token !== '')
    expect(seen).toEqual([`${core.snapshots[0]?.id}:default`, 'local/a:v2', `${core.snapshots[2]?.id}:default`])
    expect(pages).toBe(3)
  })

  test('of an unknown name is empty', async () => {
    const answer = await startApi().ask('GET /snapshots?name=Unknown%20Name')
    expect([answer.status, await answer.json(), answer.headers.get('x-next-token')]).toEqual([200, [], null])
  })

  test.each([
    ['limit=0', 'limit'],
    ['limit=1001', 'limit'],
    ['nextToken=nonsense', 'nextToken'],
  ])('refuses %s and names it', async (query, name) => {
    const answer = await startApi().ask(`GET /snapshots?${query}`)
    expect([answer.status, await answer.json()]).toEqual([400, { code: 400, message: expect.stringMatching(new RegExp(`^${name}`)) }])
  })
})

describe('deleting a snapshot', () => {
  test.each(['local%2Fnightly%3Adefault', 'local%2fnightly:default'])('takes its id as one segment of the path: %s', async (id) => {
    const { ask, core } = startApi()
    core.snapshots.push(newSnapshot({ name: 'nightly' }))
    const answer = await ask(`DELETE /templates/${id}`)
    expect([answer.status, await answer.text()]).toEqual([204, ''])
    const again = await ask(`DELETE /templates/${id}`)
    expect([again.status, await again.json()]).toEqual([404, expect.objectContaining({ code: 404 })])
    expect(core.asked[0]?.with).toBe('local/nightly:default')
  })

  test.each(['%zz', '%2F..%2F..', '%00'])('of something odd is 404: %s', async (id) => {
    expect((await startApi().ask(`DELETE /templates/${id}`)).status).toBe(404)
  })
})
