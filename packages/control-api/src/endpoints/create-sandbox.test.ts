import { describe, expect, test } from 'vitest'

import { startApi } from '../testing/fake-core.ts'

const path = 'POST /v2/sandboxes'

describe('create', () => {
  test('passes on every option that it knows', async () => {
    const { ask, core } = startApi()
    const body = {
      templateID: 'base:default',
      timeout: 60,
      secure: true,
      autoPause: true,
      autoResume: { enabled: true },
      allow_internet_access: false,
      network: { allowPublicTraffic: false, maskRequestHost: 'localhost:${PORT}' },
      metadata: { a: 'b' },
      envVars: { C: 'd' },
    }
    expect((await ask('POST /sandboxes', { body })).status).toBe(201)
    expect(core.asked).toEqual([
      {
        name: 'create',
        with: {
          template: 'base:default',
          timeoutSeconds: 60,
          secure: true,
          lifecycle: { onTimeout: 'pause', autoResume: true, pauseKind: 'memory' },
          network: {
            allowInternetAccess: false,
            allowOut: [],
            denyOut: [],
            allowPublicTraffic: false,
            maskRequestHost: 'localhost:${PORT}',
          },
          metadata: { a: 'b' },
          env: { C: 'd' },
        },
      },
    ])
  })

  test('needs nothing but a template, and leaves the rest to core', async () => {
    const { ask, core } = startApi()
    await ask(path, { body: { templateID: 'base', metadata: null, network: null, autoResume: null, mcp: null } })
    expect(core.asked[0]?.with).toEqual({
      template: 'base',
      timeoutSeconds: undefined,
      secure: true,
      lifecycle: { onTimeout: 'kill', autoResume: false, pauseKind: 'memory' },
      network: { allowInternetAccess: null, allowOut: [], denyOut: [], allowPublicTraffic: true, maskRequestHost: null },
      metadata: {},
      env: {},
    })
  })

  test.each([
    ['POST /sandboxes', undefined, false],
    ['POST /sandboxes', true, true],
    ['POST /v2/sandboxes', undefined, true],
    ['POST /v2/sandboxes', false, true],
  ])('%s with secure %s makes secured %s', async (line, secure, expected) => {
    const { ask } = startApi()
    const answer = await ask(line, { body: { templateID: 'base', secure } })
    expect('envdAccessToken' in Object(await answer.json())).toBe(expected)
  })

  test('answers what SDKs read, tokens only where they are demanded', async () => {
    const { ask, core } = startApi({ domain: 'sbx.localhost:3443' })
    const restricted = { templateID: 'base', network: { allowPublicTraffic: false } }
    const open = await ask('POST /sandboxes', { body: { templateID: 'base' } })
    const secured = await ask(path, { body: restricted })
    const [first, second] = [...core.records.keys()]
    const common = {
      templateID: 'template0000000000000',
      clientID: '6532622b',
      alias: 'base',
      envdVersion: '0.6.13',
      domain: 'sbx.localhost:3443',
    }
    expect(await open.json()).toEqual({ ...common, sandboxID: first, trafficAccessToken: null })
    expect(await secured.json()).toEqual({
      ...common,
      sandboxID: second,
      envdAccessToken: `access-${second}`,
      trafficAccessToken: `traffic-${second}`,
    })
  })

  test('keeps only the files at its timeout when autoPauseMemory is false', async () => {
    const { ask, core } = startApi()
    await ask(path, { body: { templateID: 'base', autoPause: true, autoPauseMemory: false } })
    await ask(path, { body: { templateID: 'base', autoPause: true, autoPauseMemory: true } })
    expect(core.asked.map((asked) => asked.with)).toMatchObject([
      { lifecycle: { onTimeout: 'pause', autoResume: false, pauseKind: 'files' } },
      { lifecycle: { onTimeout: 'pause', autoResume: false, pauseKind: 'memory' } },
    ])
  })

  test('refuses to wake on traffic what keeps no memory', async () => {
    const body = { templateID: 'base', autoPause: true, autoPauseMemory: false, autoResume: { enabled: true } }
    const answer = await startApi().ask(path, { body })
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('autoResume')])
  })

  test('with an unknown template is 404', async () => {
    const answer = await startApi().ask(path, { body: { templateID: 'unknown' } })
    expect([answer.status, await answer.json()]).toEqual([404, { code: 404, message: "template 'unknown' not found" }])
  })

  test('refuses restricted traffic without secure', async () => {
    const answer = await startApi().ask('POST /sandboxes', { body: { templateID: 'base', network: { allowPublicTraffic: false } } })
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('allowPublicTraffic')])
  })

  test.each([
    ['network.rules', { network: { rules: { 'a.example': [] } } }],
    ['network.egressProxy', { network: { egressProxy: { address: 'a:1' } } }],
    ['network.httpsPorts', { network: { httpsPorts: [443] } }],
    ['volumeMounts', { volumeMounts: [{ name: 'a', path: '/a' }] }],
    ['mcp', { mcp: { duckduckgo: {} } }],
    ['iam.tokens', { iam: { tokens: { a: { audience: 'b' } } } }],
    ['secrets', { secrets: { A: 'a' } }],
  ])('refuses rather than ignores %s', async (option, body) => {
    const { ask, core } = startApi()
    const answer = await ask(path, { body: { templateID: 'base', ...body } })
    expect([answer.status, await answer.text()]).toEqual([501, expect.stringContaining(option)])
    expect(core.asked).toEqual([])
  })

  test('takes options of that kind that are empty', async () => {
    const network = { allowOut: [], denyOut: [], rules: {}, egressProxy: null }
    const body = { templateID: 'base', network, volumeMounts: [], mcp: {}, iam: { tokens: {} }, secrets: {} }
    expect((await startApi().ask(path, { body })).status).toBe(201)
  })
})
