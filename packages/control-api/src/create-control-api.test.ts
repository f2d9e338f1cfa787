import { newSandboxId } from '@torpor/contract'
import { describe, expect, test } from 'vitest'

import { endpoints } from './endpoints/index.ts'
import { openApiDocument } from './open-api.ts'
import { key, startApi } from './testing/fake-core.ts'
import { unsupportedRoutes } from './unsupported-routes.ts'

/** The only ones that need no key. */
const publicRoutes = ['GET /health', 'GET /openapi.json']
/** Its link holds a signature (`templates.test.ts`). */
const signedRoute = 'PUT /torpor/uploads/{hash}'

const concrete = (path: string): string => path.replaceAll(/\{(\w+)\}/g, (_, name) => (name === 'sandboxID' ? newSandboxId() : 'x'))

const everyRoute = [
  ...endpoints.map(({ route }) => `${route.method.toUpperCase()} ${route.path}`),
  ...unsupportedRoutes.flatMap(({ routes }) => routes),
  'GET /openapi.json',
]

describe('a key', () => {
  test.each(everyRoute.filter((route) => ![...publicRoutes, signedRoute].includes(route)))('is needed for %s', async (route) => {
    const { api } = startApi()
    const [method = '', path = ''] = route.split(' ')
    for (const headers of [{}, { 'X-API-KEY': 'wrong' }, { Authorization: `Basic ${key}` }, { Authorization: 'Bearer wrong' }]) {
      const answer = await api.request(concrete(path), { method, headers: new Headers(headers) })
      expect(answer.status).toBe(401)
      expect(await answer.json()).toEqual({ code: 401, message: expect.stringMatching(/^Invalid API key, please visit .*torpor env/) })
    }
  })

  test.each(publicRoutes)('is not needed for %s', async (route) => {
    const { api } = startApi()
    expect((await api.request(route.replace('GET ', ''))).status).toBe(200)
  })

  test('is taken from either header, even beside a wrong one', async () => {
    const { api } = startApi()
    for (const headers of [
      { 'X-API-KEY': key },
      { Authorization: `Bearer ${key}` },
      { 'X-API-KEY': 'old', Authorization: `bearer ${key}` },
    ]) {
      expect((await api.request('/sandboxes', { headers: new Headers(headers) })).status).toBe(200)
    }
  })

  test('is not needed for a HEAD of the health check', async () => {
    expect((await startApi().api.request('/health', { method: 'HEAD' })).status).toBe(200)
  })
})

describe('an answer', () => {
  test('carries a request id of its own, whatever the client sends, errors included', async () => {
    const { ask } = startApi()
    const ids = new Set<string | null>()
    for (const line of ['GET /sandboxes', 'GET /nowhere', `GET /sandboxes/${newSandboxId()}`, 'GET /health']) {
      ids.add((await ask(line, { headers: { 'x-request-id': 'mine' } })).headers.get('x-request-id'))
    }
    expect(ids.size).toBe(4)
    expect(ids).not.toContain('mine')
    expect(ids).not.toContain(null)
  })

  test('is not open to web pages of other origins', async () => {
    const answer = await startApi().ask('GET /sandboxes', { headers: { Origin: 'https://evil.example' } })
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('a route', () => {
  test.each(unsupportedRoutes.flatMap(({ routes }) => routes))('that is not there yet says so: %s', async (route) => {
    const [method, path = ''] = route.split(' ')
    const answer = await startApi().ask(`${method} ${concrete(path)}`)
    expect(answer.status).toBe(501)
    expect(await answer.json()).toEqual({ code: 501, message: expect.stringMatching(/is not supported yet by this Torpor version$/) })
  })

  test.each(['GET /', 'GET /nowhere', 'PUT /sandboxes', 'GET /v2/sandboxes/', 'GET /%73andboxes'])(
    'that nobody knows is 404: %s',
    async (line) => {
      const answer = await startApi().ask(line)
      expect(answer.status).toBe(404)
      expect(await answer.json()).toEqual({ code: 404, message: expect.stringContaining('There is no') })
    },
  )

  test('is matched before its path is decoded', async () => {
    const { ask, core } = startApi()
    core.registerTemplate({ name: 'mine', tags: [] })
    expect((await ask('GET /templates/local%2Fmine')).status).toBe(200)
    expect((await ask('GET /sandboxes/a%2Fpause')).status).toBe(404)
  })
})

test('the OpenAPI document lists every route with the statuses of its errors', async () => {
  const document = openApiDocument('1.2.3')
  const listed = Object.entries(document.paths ?? {}).flatMap(([path, methods]) =>
    Object.keys(methods ?? {}).map((method) => `${method.toUpperCase()} ${path}`),
  )
  expect(listed.sort()).toEqual(endpoints.map(({ route }) => `${route.method.toUpperCase()} ${route.path}`).sort())
  expect(document.components?.schemas).toHaveProperty('NewSandbox')
  expect(document.paths?.['/sandboxes']?.post?.responses).toHaveProperty('401')
  const served = await startApi().api.request('/openapi.json')
  expect(await served.json()).toEqual(JSON.parse(JSON.stringify(document)))
})
