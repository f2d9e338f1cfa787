import { cloneAnswer, forkResult } from '@torpor/contract'
import { describe, expect, test } from 'vitest'
import { array } from 'zod'

import { startApi } from '../testing/fake-core.ts'

describe.each(['clone', 'fork'])('%s', (verb) => {
  test('makes one unless told how many', async () => {
    const { ask, core } = startApi()
    const { id } = core.add()
    expect((await ask(`POST /sandboxes/${id}/${verb}`)).status).toBe(201)
    expect((await ask(`POST /sandboxes/${id}/${verb}`, { body: { count: 100, timeout: 60, future: 1 } })).status).toBe(201)
    expect(core.asked.map((asked) => asked.with)).toMatchObject([
      { count: 1, timeoutSeconds: undefined },
      { count: 100, timeoutSeconds: 60 },
    ])
  })

  test.each([
    ['count', { count: 0 }],
    ['count', { count: 101 }],
    ['count', { count: 1.5 }],
    ['count', { count: '2' }],
    ['timeout', { timeout: 0 }],
  ])('C4 refuses a wrong %s: %j', async (field, body) => {
    const { ask, core } = startApi()
    const answer = await ask(`POST /sandboxes/${core.add().id}/${verb}`, { body })
    expect([answer.status, await answer.json()]).toEqual([400, { code: 400, message: expect.stringMatching(new RegExp(`^${field}: `)) }])
    expect(core.asked).toEqual([])
  })

  test('of an unknown sandbox is 404', async () => {
    const answer = await startApi().ask(`POST /sandboxes/iabcdefghij0123456789/${verb}`)
    expect([answer.status, await answer.json()]).toEqual([404, expect.objectContaining({ code: 404 })])
  })
})

describe('clone', () => {
  test('C5 C6 is lenient unless strict; a node is taken and means nothing', async () => {
    const { ask, core } = startApi()
    const { id } = core.add()
    await ask(`POST /sandboxes/${id}/clone`, { body: { count: 2, nodeID: 'n' } })
    await ask(`POST /sandboxes/${id}/clone`, { body: { count: 2, strict: true } })
    expect(core.asked.map((asked) => asked.with)).toEqual([
      { count: 2, strict: false, timeoutSeconds: undefined },
      { count: 2, strict: true, timeoutSeconds: undefined },
    ])
  })

  test('answers ids without a client id, tokens only where they are demanded', async () => {
    const { ask, core } = startApi()
    const open = core.add({ secure: false })
    const restricted = core.add({
      network: { allowInternetAccess: null, allowOut: [], denyOut: [], allowPublicTraffic: false, maskRequestHost: null },
    })
    const [first, second] = await Promise.all(
      [open, restricted].map(async ({ id }) => cloneAnswer.parse(await (await ask(`POST /sandboxes/${id}/clone`)).json()).sandboxes),
    )
    expect(first).toEqual([{ sandboxID: expect.any(String), envdVersion: '0.6.13' }])
    const id = second?.[0]?.sandboxID
    expect(second).toEqual([{ sandboxID: id, envdVersion: '0.6.13', envdAccessToken: `access-${id}`, trafficAccessToken: `traffic-${id}` }])
    const raw = await (await ask(`POST /sandboxes/${open.id}/clone`)).text()
    expect(raw).not.toContain('clientID')
  })
})

describe('fork', () => {
  test('answers one result per fork, each a sandbox or an error', async () => {
    const { ask, core } = startApi()
    const answer = await ask(`POST /sandboxes/${core.add().id}/fork`, { body: { count: 3 } })
    const results = array(forkResult).parse(await answer.json())
    expect(results).toEqual([
      { sandbox: expect.objectContaining({ clientID: '6532622b', templateID: 'template0000000000000' }) },
      { error: { code: 429, message: 'Too many' } },
      { sandbox: expect.objectContaining({ envdVersion: '0.6.13' }) },
    ])
  })

  test('of a paused sandbox is 409', async () => {
    const { ask, core } = startApi()
    expect((await ask(`POST /sandboxes/${core.add({ state: 'paused' }).id}/fork`)).status).toBe(409)
  })
})
