import { describe, expect, test } from 'vitest'

import { startApi } from '../testing/fake-core.ts'

const restricted = { allowInternetAccess: null, allowOut: [], denyOut: [], allowPublicTraffic: false, maskRequestHost: null }

describe('reset', () => {
  test('lets it run afterwards unless told otherwise', async () => {
    const { ask, core } = startApi()
    const { id } = core.add({ state: 'paused' })
    const answer = await ask(`POST /sandboxes/${id}/reset`)
    expect([answer.status, await answer.json()]).toEqual([200, {}])
    const body = { resume: false, timeout: 60, snapshotID: 'local/nightly:v2', future: 1 }
    expect((await ask(`POST /sandboxes/${id}/reset`, { body })).status).toBe(200)
    expect(core.asked.map((asked) => asked.with)).toEqual([
      { resume: true, timeoutSeconds: undefined, snapshot: undefined },
      { resume: false, timeoutSeconds: 60, snapshot: 'local/nightly:v2' },
    ])
  })

  test('answers the traffic token where traffic is restricted', async () => {
    const { ask, core } = startApi()
    const { id } = core.add({ network: restricted })
    const body = { secure: true, allowPublicTraffic: false }
    expect(await (await ask(`POST /sandboxes/${id}/reset`, { body })).json()).toEqual({ trafficAccessToken: `traffic-${id}` })
  })

  test('is 404 for an unknown sandbox, 409 when there is nothing to go back to', async () => {
    const { ask, core } = startApi()
    expect((await ask('POST /sandboxes/iabcdefghij0123456789/reset')).status).toBe(404)
    const answer = await ask(`POST /sandboxes/${core.add({ templateId: 'deleted' }).id}/reset`)
    expect([answer.status, await answer.json()]).toEqual([409, expect.objectContaining({ code: 409 })])
  })

  test.each([
    ['secure', { secure: true }],
    ['allowPublicTraffic', { allowPublicTraffic: false }],
    ['allowPublicTraffic', { network: { allowPublicTraffic: false } }],
    ['network.rules', { network: { rules: { 'a.example': [] } } }],
  ])('refuses to pretend that it restricts %s', async (option, body) => {
    const { ask, core } = startApi()
    const answer = await ask(`POST /sandboxes/${core.add({ secure: false }).id}/reset`, { body })
    expect([answer.status, await answer.text()]).toEqual([501, expect.stringContaining(option)])
    expect(core.asked).toEqual([])
  })

  test.each([
    ['resume', { resume: 'no' }],
    ['timeout', { timeout: 0 }],
    ['snapshotID', { snapshotID: '' }],
  ])('refuses a wrong %s', async (field, body) => {
    const { ask, core } = startApi()
    const answer = await ask(`POST /sandboxes/${core.add().id}/reset`, { body })
    expect([answer.status, await answer.json()]).toEqual([400, { code: 400, message: expect.stringContaining(`${field}: `) }])
  })
})
