import { describe, expect, test } from 'vitest'

import { startApi } from '../testing/fake-core.ts'

describe('PUT /sandboxes/{id}/network', () => {
  test('replaces all rules; what is left out is cleared', async () => {
    const { ask, core } = startApi()
    const { id } = core.add({})
    const answers = [
      await ask(`PUT /sandboxes/${id}/network`, { body: { allowOut: ['1.1.1.1', '*.a.example'], denyOut: ['0.0.0.0/0'] } }),
      await ask(`PUT /sandboxes/${id}/network`, { body: { allow_internet_access: false } }),
      await ask(`PUT /sandboxes/${id}/network`, { body: {} }),
    ]
    expect(answers.map(({ status }) => status)).toEqual([204, 204, 204])
    expect(core.asked.map((call) => call.with)).toEqual([
      [id, { allowInternetAccess: null, allowOut: ['1.1.1.1', '*.a.example'], denyOut: ['0.0.0.0/0'] }],
      [id, { allowInternetAccess: false, allowOut: [], denyOut: [] }],
      [id, { allowInternetAccess: null, allowOut: [], denyOut: [] }],
    ])
  })

  test('is 404 for an unknown sandbox', async () => {
    expect((await startApi().ask('PUT /sandboxes/iabcdefghij0123456789/network', { body: {} })).status).toBe(404)
  })

  test.each([
    ['allowOut.0', { allowOut: ['http://a.example'] }, 400],
    ['denyOut.1', { denyOut: ['1.1.1.1', 'a.example'] }, 400],
    ['denyOut', { denyOut: Array.from({ length: 513 }, () => '1.1.1.1') }, 400],
    ['allow_internet_access', { allow_internet_access: 'no' }, 400],
    ['network.rules', { rules: { 'a.example': [] } }, 501],
    ['network.egressProxy', { egressProxy: { address: 'a:1' } }, 501],
  ])('refuses %s', async (field, body, status) => {
    const { ask, core } = startApi()
    const answer = await ask(`PUT /sandboxes/${core.add({}).id}/network`, { body })
    expect([answer.status, await answer.text()]).toEqual([status, expect.stringContaining(field)])
    expect(core.asked).toEqual([])
  })
})
