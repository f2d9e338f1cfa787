import { newSandboxId } from '@torpor/contract'
import { describe, expect, test } from 'vitest'

import { key, startApi } from './testing/fake-core.ts'

describe('a body', () => {
  test.each([
    ['POST /sandboxes', {}, 'templateID'],
    ['POST /sandboxes', { templateID: 5 }, 'templateID'],
    ['POST /v2/sandboxes', { templateID: 'base', timeout: 0 }, 'timeout: Timeout must be greater than 0'],
    ['POST /v2/sandboxes', { templateID: 'base', timeout: '5' }, 'timeout'],
    ['POST /v2/sandboxes', { templateID: 'base', metadata: { a: 1 } }, 'metadata.a'],
    ['POST /v2/sandboxes', { templateID: 'base', envVars: ['a'] }, 'envVars'],
    ['POST /v2/sandboxes', { templateID: 'base', network: { maskRequestHost: 1 } }, 'network.maskRequestHost'],
    ['POST /sandboxes/{id}/timeout', { timeout: null }, 'timeout'],
    ['POST /sandboxes/{id}/timeout', { timeout: -1 }, 'timeout: Timeout must be greater than 0'],
    ['POST /sandboxes/{id}/timeout', {}, 'timeout'],
    ['POST /sandboxes/{id}/connect', { timeout: 0 }, 'timeout: Timeout must be greater than 0'],
    ['POST /sandboxes/{id}/refreshes', { duration: 3601 }, 'duration'],
    ['POST /sandboxes', [], 'body'],
    ['POST /sandboxes', 'null', 'body'],
    ['POST /sandboxes', '{"templateID":', 'not valid JSON'],
  ])('that is wrong is 400 and named: %s %j', async (line, body, message) => {
    const { ask, core } = startApi()
    const answer = await ask(line.replace('{id}', core.add().id), { body })
    expect(answer.status).toBe(400)
    expect(await answer.json()).toEqual({ code: 400, message: expect.stringContaining(message) })
  })

  test.each(['connect', 'pause', 'refreshes'])('may be left out of %s', async (verb) => {
    const { ask, core } = startApi()
    expect((await ask(`POST /sandboxes/${core.add().id}/${verb}`)).ok).toBe(true)
  })

  test('counts as JSON whatever its content type says', async () => {
    for (const type of ['text/plain', 'application/json; charset=utf-8', 'application/x-www-form-urlencoded']) {
      const answer = await startApi().ask('POST /v2/sandboxes', { body: { templateID: 'base' }, headers: { 'Content-Type': type } })
      expect(answer.status).toBe(201)
    }
  })

  test('may hold properties that nobody knows', async () => {
    expect((await startApi().ask('POST /v2/sandboxes', { body: { templateID: 'base', nodeID: 'n', future: {} } })).status).toBe(201)
  })

  test('that is too large is 413, as soon as that is known', async () => {
    const { ask, api } = startApi({ maxBodyBytes: 100 })
    const body = { templateID: 'x'.repeat(100) }
    expect((await ask('POST /sandboxes', { body, headers: { 'Content-Length': '116' } })).status).toBe(413)
    let sent = 0
    const endless = new ReadableStream({
      pull: (controller) => {
        sent += 10
        controller.enqueue(new Uint8Array(10))
      },
    })
    const answer = await api.request('/sandboxes', { method: 'POST', headers: { 'X-API-KEY': key }, body: endless, duplex: 'half' })
    expect(answer.status).toBe(413)
    expect(await answer.json()).toMatchObject({ code: 413 })
    expect(sent).toBeLessThan(200)
  })
})

describe('a sandbox id', () => {
  test('may have the client id of old clients behind it', async () => {
    const { ask, core } = startApi()
    expect((await ask(`GET /sandboxes/${core.add().id}-6532622b`)).status).toBe(200)
  })

  test.each(['unknown', '..%2f..%2fetc', 'I'.repeat(21), newSandboxId(), `${newSandboxId()}x`])(
    'that leads nowhere is 404: %s',
    async (id) => {
      const { ask } = startApi()
      for (const line of [
        `GET /sandboxes/${id}`,
        `DELETE /sandboxes/${id}`,
        `POST /sandboxes/${id}/pause`,
        `POST /v2/sandboxes/${id}/connect`,
      ]) {
        const answer = await ask(line)
        expect(answer.status).toBe(404)
        expect(await answer.json()).toEqual({
          code: 404,
          message: expect.stringMatching(/^Sandbox ".*" doesn't exist or you don't have access to it$/),
        })
      }
    },
  )
})
