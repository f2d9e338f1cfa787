import { describe, expect, test } from 'vitest'

import { startApi } from '../testing/fake-core.ts'

const novita = { 'X-Novita-SDK-Name': 'sdk_js' }
const image = { name: 'image', engineVersion: 'e' }

describe('get', () => {
  test('shows a sandbox as SDKs read it', async () => {
    const { ask, core } = startApi()
    const network = { allowInternetAccess: false, allowOut: [], denyOut: [], allowPublicTraffic: false, maskRequestHost: 'h' }
    const { id } = core.add({ network, alias: null, lifecycle: { onTimeout: 'pause', autoResume: true, pauseKind: 'files' } })
    const answer = await ask(`GET /sandboxes/${id}`)
    expect(answer.status).toBe(200)
    expect(await answer.json()).toEqual({
      templateID: 'template0000000000000',
      sandboxID: id,
      clientID: '6532622b',
      startedAt: '2023-11-14T22:13:20.123Z',
      endAt: '2023-11-14T22:18:20.123Z',
      cpuCount: 2,
      memoryMB: 1024,
      diskSizeMB: 10_240,
      state: 'running',
      envdVersion: '0.6.13',
      metadata: {},
      envdAccessToken: `access-${id}`,
      domain: null,
      allowInternetAccess: false,
      network: { allowPublicTraffic: false, maskRequestHost: 'h' },
      lifecycle: { autoResume: true, onTimeout: 'pause' },
    })
  })

  test('P9 I2 shows what is true at this moment rather than what is on record', async () => {
    const { ask, core } = startApi()
    const { id } = core.add({ state: 'pausing' })
    core.shown.set(id, { endAt: 1_700_000_060_000 })
    expect(await (await ask(`GET /sandboxes/${id}`)).json()).toMatchObject({ state: 'paused', endAt: '2023-11-14T22:14:20.000Z' })
  })

  test.each([
    ['js', 'snapshotting'],
    ['python', 'running'],
    ['Python', 'running'],
  ])('P21 shows a client in %s a sandbox that is being captured as %s', async (lang, state) => {
    const { ask, core } = startApi()
    const { id } = core.add()
    core.shown.set(id, { state: 'snapshotting' })
    for (const line of [`GET /sandboxes/${id}`, 'GET /v2/sandboxes?state=running', 'GET /sandboxes']) {
      expect([await (await ask(line, { headers: { lang } })).json()].flat()).toMatchObject([{ state }])
    }
  })
})

describe('kill', () => {
  test('is 204 without a body, and 404 the second time', async () => {
    const { ask, core } = startApi()
    const { id } = core.add({ state: 'paused' })
    const answer = await ask(`DELETE /sandboxes/${id}`)
    expect([answer.status, await answer.text()]).toEqual([204, ''])
    expect((await ask(`DELETE /sandboxes/${id}`)).status).toBe(404)
  })
})

describe('pause', () => {
  test('is 204, and 409 when it is paused already', async () => {
    const { ask, core } = startApi()
    const { id } = core.add()
    expect((await ask(`POST /sandboxes/${id}/pause`, { body: { memory: true } })).status).toBe(204)
    const answer = await ask(`POST /sandboxes/${id}/pause`)
    expect([answer.status, await answer.json()]).toEqual([409, expect.objectContaining({ code: 409 })])
  })

  test.each([
    ['an E2B client', {}, { memory: true }, { kind: 'memory', until: 'durable' }],
    ['an E2B client', {}, {}, { kind: 'memory', until: 'durable' }],
    ['an E2B client', {}, { memory: false }, { kind: 'files', until: 'durable' }],
    ['a Novita client', novita, undefined, { kind: 'memory', until: 'frozen' }],
    ['a Novita client of a legacy domain', novita, { sync: false }, { kind: 'memory', until: 'frozen' }],
    ['a Novita client of a legacy domain', novita, { sync: true }, { kind: 'memory', until: 'durable' }],
  ])('P8 of %s %j %j keeps and waits for %j', async (_, headers, body, expected) => {
    const { ask, core } = startApi()
    const { id } = core.add()
    expect((await ask(`POST /sandboxes/${id}/pause`, { headers, body })).status).toBe(204)
    expect(core.asked[0]?.with).toEqual(expected)
  })

  test.each(['memory', 'sync'])('with a %s that is no boolean is 400', async (field) => {
    const { ask, core } = startApi()
    const answer = await ask(`POST /sandboxes/${core.add().id}/pause`, { body: { [field]: 'false' } })
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining(field)])
  })
})

describe.each(['/sandboxes', '/v2/sandboxes'])('connect below %s', (prefix) => {
  test('is 200 when it ran and 201 when it was resumed', async () => {
    const { ask, core } = startApi()
    const { id } = core.add({ state: 'paused' })
    const resumed = await ask(`POST ${prefix}/${id}/connect`, { body: { timeout: 60 } })
    expect([resumed.status, await resumed.json()]).toEqual([
      201,
      expect.objectContaining({ sandboxID: id, envdAccessToken: `access-${id}` }),
    ])
    expect((await ask(`POST ${prefix}/${id}/connect`, { body: {} })).status).toBe(200)
    expect(core.asked.map((asked) => asked.with)).toEqual([60, undefined])
  })

  test.each([
    ['secure', { secure: true }],
    ['allowPublicTraffic', { allowPublicTraffic: false }],
    ['allowPublicTraffic', { network: { allowPublicTraffic: false } }],
    ['network.rules', { network: { rules: { 'a.example': [] } } }],
  ])('refuses to pretend that it restricts %s', async (option, body) => {
    const { ask, core } = startApi()
    const { id } = core.add({ secure: false })
    const answer = await ask(`POST ${prefix}/${id}/connect`, { body })
    expect([answer.status, await answer.text()]).toEqual([501, expect.stringContaining(option)])
    expect(core.asked).toEqual([])
  })

  test('with lists of a network restricts it first, and leaves the others as they are', async () => {
    const { ask, core } = startApi()
    const { id } = core.add({
      network: { allowInternetAccess: null, allowOut: ['1.1.1.1'], denyOut: [], allowPublicTraffic: true, maskRequestHost: null },
    })
    expect((await ask(`POST ${prefix}/${id}/connect`, { body: { network: { denyOut: ['0.0.0.0/0'] } } })).status).toBe(200)
    const restricted = { allowInternetAccess: null, allowOut: ['1.1.1.1'], denyOut: ['0.0.0.0/0'] }
    expect(core.asked[0]).toEqual({ name: 'updateNetwork', with: [id, restricted] })
    expect(core.asked[1]?.name).toBe('connect')
  })

  test('with memory: false asks for a boot without the memory that was kept', async () => {
    const { ask, core } = startApi()
    const { id } = core.add({ state: 'paused', image: { ...image, kind: 'memory' } })
    expect((await ask(`POST ${prefix}/${id}/connect`, { body: { timeout: 60, memory: false } })).status).toBe(201)
    expect(core.asked[0]?.with).toEqual({ timeoutSeconds: 60, reboot: true })
  })

  test('takes restrictions that hold already', async () => {
    const { ask, core } = startApi()
    const network = { allowInternetAccess: null, allowOut: [], denyOut: [], allowPublicTraffic: false, maskRequestHost: null }
    const { id } = core.add({ secure: true, network })
    expect((await ask(`POST ${prefix}/${id}/connect`, { body: { secure: true, allowPublicTraffic: false, memory: true } })).status).toBe(
      200,
    )
  })
})

describe('resume', () => {
  test('is 201, and 409 when it runs already', async () => {
    const { ask, core } = startApi()
    const { id } = core.add({ state: 'paused' })
    expect((await ask(`POST /sandboxes/${id}/resume`, { body: { timeout: 5, autoPause: false } })).status).toBe(201)
    expect((await ask(`POST /sandboxes/${id}/resume`)).status).toBe(409)
    expect(core.asked[0]?.with).toEqual({ timeoutSeconds: 5, autoPause: false })
  })
})

describe('timeout and refreshes', () => {
  test('are 204 and pass their seconds on', async () => {
    const { ask, core } = startApi()
    const { id } = core.add()
    expect((await ask(`POST /sandboxes/${id}/timeout`, { body: { timeout: 1.5 } })).status).toBe(204)
    expect((await ask(`POST /sandboxes/${id}/refreshes`, { body: { duration: 60 } })).status).toBe(204)
    expect((await ask(`POST /sandboxes/${id}/refreshes`)).status).toBe(204)
    expect(core.asked.map((asked) => asked.with)).toEqual([
      [id, 1.5],
      [id, 60],
      [id, 15],
    ])
  })
})
