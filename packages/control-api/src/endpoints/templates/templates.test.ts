import { describe, expect, test } from 'vitest'
import { z } from 'zod'

import { startApi } from '../../testing/fake-core.ts'
import { newSnapshot, newTemplate } from '../../testing/samples.ts'

const hash = 'a'.repeat(64)
const registered = z.object({ templateID: z.string(), buildID: z.string() })

async function registerOne(api: ReturnType<typeof startApi>, body: object = { name: 'mine' }) {
  return registered.parse(await (await api.ask('POST /v3/templates', { body })).json())
}

describe('a build', () => {
  test('is registered with names in the namespace of this machine', async () => {
    const { ask, core } = startApi()
    const answer = await ask('POST /v3/templates', { body: { name: 'mine:v1', tags: ['v2'], cpuCount: 2, memoryMB: 1024, teamID: 't' } })
    expect([answer.status, await answer.json()]).toEqual([
      202,
      {
        templateID: expect.any(String),
        buildID: expect.any(String),
        public: false,
        names: ['local/mine'],
        tags: ['v1', 'v2'],
        aliases: ['mine'],
      },
    ])
    expect(core.asked).toMatchObject([{ with: { name: 'mine:v1', tags: ['v2'], cpuCount: 2, memoryMiB: 1024 } }])
    expect((await ask('POST /v3/templates', { body: { alias: 'other' } })).status).toBe(202)
    expect((await ask('POST /v3/templates', { body: {} })).status).toBe(400)
  })

  test('is started with its steps, unknown properties and nulls passed over', async () => {
    const api = startApi()
    const { templateID, buildID } = await registerOne(api)
    const copy = { type: 'COPY', args: ['a', '/b', '', ''], filesHash: hash, forceUpload: true, gzip: true }
    const body = {
      fromTemplate: 'base',
      fromImage: null,
      startCmd: 'run',
      steps: [copy, { type: 'RUN', args: ['x'], force: true }],
      force: false,
    }
    const answer = await api.ask(`POST /v2/templates/${templateID}/builds/${buildID}`, { body })
    // Or SDKs would take the empty body for JSON.
    expect([answer.status, answer.headers.get('content-length'), await answer.text()]).toEqual([202, '0', ''])
    expect(api.core.asked.at(-1)?.with).toEqual({
      fromTemplate: 'base',
      fromImage: undefined,
      startCmd: 'run',
      readyCmd: undefined,
      force: false,
      steps: [
        { type: 'COPY', args: ['a', '/b', '', ''], filesHash: hash, force: false },
        { type: 'RUN', args: ['x'], filesHash: undefined, force: true },
      ],
    })
    const scripted = await api.ask(`POST /v2/templates/${templateID}/builds/${buildID}`, { body: { ...body, preBootScript: 'x' } })
    expect(scripted.status).toBe(501)
  })

  test('tells what it wrote from an offset on, and why it failed', async () => {
    const api = startApi()
    const { templateID, buildID } = await registerOne(api)
    api.core.outcome = { status: 'error', reason: { message: 'exit code 3', step: '2' } }
    api.core.logLines = 120
    await api.ask(`POST /v2/templates/${templateID}/builds/${buildID}`, { body: {} })
    const statusAt = async (query: string) => (await api.ask(`GET /templates/${templateID}/builds/${buildID}/status?${query}`)).json()
    const first = z
      .object({ logEntries: z.array(z.looseObject({ message: z.string() })), logs: z.array(z.string()) })
      .parse(await statusAt(''))
    expect([first.logEntries.length, first.logs[0], first.logEntries[0]]).toEqual([
      100,
      'line 0',
      { timestamp: '1970-01-01T00:00:00.000Z', level: 'info', message: 'line 0', step: '1' },
    ])
    expect(await statusAt('logsOffset=119')).toMatchObject({
      status: 'error',
      reason: { message: 'exit code 3', step: '2' },
      logs: ['line 119'],
    })
    expect(await statusAt('logsOffset=120')).toMatchObject({ logEntries: [] })
    expect(
      await (await api.ask(`GET /templates/${templateID}/builds/${buildID}/logs?direction=backward&limit=1&cursor=5`)).json(),
    ).toMatchObject({
      logs: [{ message: 'line 5' }],
    })
    expect((await api.ask(`GET /templates/${templateID}/builds/nothing/status`)).status).toBe(404)
    expect((await api.ask(`GET /templates/${templateID}/builds/${buildID}/status?logsOffset=-1`)).status).toBe(400)
  })
})

describe('the files of a COPY', () => {
  const link = z.object({ present: z.boolean(), url: z.url() })

  test('go to a link that needs no key, works for this hash only, and ends', async () => {
    const api = startApi()
    const { templateID } = await registerOne(api)
    const ask = async () => link.parse(await (await api.ask(`GET /templates/${templateID}/files/${hash}`)).json())
    const { present, url } = await ask()
    expect(present).toBe(false)
    const put = (place: string) => api.api.request(place, { method: 'PUT', body: 'archive' })
    const { pathname, search } = new URL(url)
    expect((await put(pathname + search)).status).toBe(200)
    expect([api.uploads.files.get(hash)?.toString(), (await ask()).present]).toEqual(['archive', true])
    for (const place of [
      pathname.replace(hash, 'b'.repeat(64)) + search,
      pathname + search.replace(/expires=\d+/, `expires=${Date.now() + 1e9}`),
      `${pathname}?expires=1&signature=upload-${hash}-1`,
    ]) {
      expect((await put(place)).status).toBe(403)
    }
  })

  test('have a link by TLS behind a proxy that ends it, at the host that was asked', async () => {
    const api = startApi()
    const { templateID } = await registerOne(api)
    const headers = { 'X-API-KEY': 'e2b_0123456789abcdef', 'x-forwarded-proto': 'https' }
    const answer = await api.api.request(`http://torpor.example/templates/${templateID}/files/${hash}`, { headers })
    expect([answer.status, link.parse(await answer.json()).url]).toEqual([
      201,
      expect.stringMatching(/^https:\/\/torpor\.example\/torpor\/uploads\//),
    ])
  })
})

describe('templates', () => {
  test('are listed as E2B and as Novita expect it', async () => {
    const { ask, core } = startApi()
    core.templates.push(
      newTemplate({ id: 't'.repeat(20), createdAt: 3 }),
      newTemplate({ id: 's'.repeat(20), createdAt: 2, names: ['other'] }),
    )
    core.snapshots.push(newSnapshot({ name: 'nightly' }))
    expect(await (await ask('GET /templates')).json()).toMatchObject([{ names: ['local/mine'] }, { aliases: ['other'], createdBy: null }])
    const first = await ask('GET /v2/templates?limit=1')
    expect(await first.json()).toMatchObject([{ aliases: ['mine'] }])
    const second = await ask(`GET /v2/templates?limit=1&nextToken=${first.headers.get('x-next-token')}`)
    expect([await second.json(), second.headers.get('x-next-token')]).toMatchObject([[{ aliases: ['other'] }], null])
    expect(await (await ask('GET /v2/templates?template_type=template_build&page=2&limit=1')).json()).toMatchObject({
      templates: [{ aliases: ['other'] }],
      total: 2,
      page: 2,
      limit: 1,
      totalPages: 2,
    })
    expect(await (await ask('GET /v2/templates?template_type=snapshot_template')).json()).toMatchObject({
      templates: [{ aliases: ['nightly'], templateType: 'snapshot_template' }],
      total: 1,
    })
  })

  test('are read, published and deleted by id or full name', async () => {
    const api = startApi()
    const { templateID, buildID } = await registerOne(api)
    expect(await (await api.ask('GET /templates/local%2Fmine')).json()).toMatchObject({
      templateID,
      builds: [{ buildID, status: 'waiting' }],
    })
    expect(await (await api.ask(`PATCH /v2/templates/${templateID}`, { body: { public: true } })).json()).toEqual({ names: ['local/mine'] })
    expect(await (await api.ask('GET /templates/aliases/mine')).json()).toEqual({ templateID, public: true })
    expect((await api.ask('GET /templates/aliases/nobody')).status).toBe(404)
    expect((await api.ask(`PATCH /templates/${templateID}`, { body: { public: false } })).status).toBe(200)
    expect((await api.ask(`DELETE /templates/${templateID}`)).status).toBe(204)
    expect((await api.ask(`DELETE /templates/${templateID}`)).status).toBe(404)
  })

  test('have tags', async () => {
    const api = startApi()
    const { templateID, buildID } = await registerOne(api)
    const assigned = await api.ask('POST /templates/tags', { body: { target: 'mine:default', tags: ['v1'] } })
    expect([assigned.status, await assigned.json()]).toEqual([201, { buildID, tags: ['v1'] }])
    expect((await api.ask('DELETE /templates/tags', { body: { name: 'mine', tags: ['v1'] } })).status).toBe(204)
    expect(await (await api.ask(`GET /templates/${templateID}/tags`)).json()).toEqual([
      { tag: 'default', buildID, createdAt: '1970-01-01T00:00:00.001Z' },
    ])
  })
})
