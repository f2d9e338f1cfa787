import { eventsAnswer } from '@torpor/contract'
import { eventNames } from '@torpor/core'
import { describe, expect, test } from 'vitest'

import { startApi } from '../testing/fake-core.ts'
import { newEvent } from '../testing/samples.ts'

const names = eventNames.filter((name) => name !== 'pausing')

test('the quota says what is used and what is allowed, and nothing of what has no limit', async () => {
  const answer = await startApi().ask('GET /sandboxes/quota')
  expect([answer.status, await answer.json()]).toEqual([
    200,
    {
      limit: { concurrentInstances: 20, concurrentRamMb: 8192, maxLengthHours: 24, maxRamMb: 8192 },
      usage: { concurrentInstances: 2, concurrentVcpu: 4, concurrentRamMb: 2048 },
    },
  ])
})

describe('the events', () => {
  test('are asked for newest first, without the intents to pause', async () => {
    const { ask, core } = startApi()
    await ask('GET /sandboxes/events')
    expect(core.asked[0]?.with).toEqual({ names, order: 'desc', offset: 0, limit: 100 })
  })

  test('can be filtered; times are unix seconds, the last second as a whole', async () => {
    const { ask, core } = startApi()
    const { id } = core.add()
    const query = `startTime=1766572800&endTime=1766659200&sandboxID=${id}-6532622b&templateID=t&events=create,pause,resume&state=success`
    expect((await ask(`GET /sandboxes/events?${query}&orderAsc=True&offset=5&limit=20`)).status).toBe(200)
    expect(core.asked[0]?.with).toEqual({
      from: 1_766_572_800_000,
      to: 1_766_659_200_999,
      sandboxId: id,
      templateId: 't',
      names: ['created', 'paused', 'resumed'],
      order: 'asc',
      offset: 5,
      limit: 20,
    })
  })

  test.each([
    ['state=failed', ['damaged']],
    ['state=failed&events=create', []],
    ['events=snapshot%2Creset', ['snapshotted', 'reset']],
  ])('%s are %j', async (query, expected) => {
    const { ask, core } = startApi()
    await ask(`GET /sandboxes/events?${query}`)
    expect(core.asked[0]?.with).toMatchObject({ names: expected })
  })

  test('are told in the words of the SDK', async () => {
    const { ask, core } = startApi()
    const damaged = newEvent({ number: 7, name: 'damaged', reason: 'missing', templateName: null })
    core.recorded.push(newEvent({ number: 8, name: 'pausing' }), damaged)
    expect(await (await ask('GET /sandboxes/events')).json()).toEqual({
      items: [
        {
          eventID: '7',
          recordAt: 1_700_000_000,
          templateID: damaged.templateId,
          templateName: '',
          sandboxID: damaged.sandboxId,
          eventName: 'damage',
          state: 'failed',
          errorMsg: 'The saved state is missing',
          statusCode: 500,
          reason: 'missing',
        },
      ],
      total: 1,
      hasMore: false,
    })
  })

  test('come page by page', async () => {
    const { ask, core } = startApi()
    core.recorded.push(...[3, 2, 1].map((number) => newEvent({ number, name: 'killed', reason: 'timeout' })))
    const pages = await Promise.all(
      [0, 2].map(async (offset) => eventsAnswer.parse(await (await ask(`GET /sandboxes/events?limit=2&offset=${offset}`)).json())),
    )
    expect(pages.map(({ items }) => items.map(({ eventID }) => eventID))).toEqual([['3', '2'], ['1']])
    expect(pages.map(({ hasMore, total }) => [hasMore, total])).toEqual([
      [true, 3],
      [false, 3],
    ])
  })

  test.each([
    ['startTime=1766572800000', 'startTime'],
    ['endTime=tomorrow', 'endTime'],
    ['events=vanish', 'events'],
    ['state=broken', 'state'],
    ['orderAsc=maybe', 'orderAsc'],
    ['offset=-1', 'offset'],
    ['limit=1001', 'limit'],
  ])('refuse %s and name it', async (query, name) => {
    const answer = await startApi().ask(`GET /sandboxes/events?${query}`)
    expect([answer.status, await answer.json()]).toEqual([400, { code: 400, message: expect.stringMatching(new RegExp(`^${name}`)) }])
  })
})
