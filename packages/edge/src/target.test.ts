import type { IncomingHttpHeaders } from 'node:http'

import { describe, expect, test } from 'vitest'

import { targetOf } from './target.ts'

const id = 'iabcdefghij0123456789'
const domain = 'sbx.localhost:3443'

const target = (headers: IncomingHttpHeaders, url = '/', method = 'GET') => targetOf({ headers, url, method }, domain)

describe('routing headers', () => {
  test.each([
    ['e2b', { 'e2b-sandbox-id': id, 'e2b-sandbox-port': '3000' }],
    ['novita', { 'novita-sandbox-id': id, 'novita-sandbox-port': '3000' }],
    ['the id of an old client', { 'e2b-sandbox-id': `${id}-6532622b`, 'e2b-sandbox-port': '3000' }],
    ['any host', { 'e2b-sandbox-id': id, 'e2b-sandbox-port': '3000', host: 'example.com' }],
    ['and win over the host name', { 'e2b-sandbox-id': id, 'e2b-sandbox-port': '3000', host: `1-ixxxxxxxxxxxxxxxxxxxx.sbx.localhost` }],
  ])('name the sandbox: %s', (_, headers) => {
    expect(target(headers, '/sandboxes')).toEqual({ by: 'id', sandboxId: id, port: 3000 })
  })

  test('of the agent with a control-plane call and its key are the control plane’s, as novita-sandbox for Python sends them', () => {
    const agent = { 'novita-sandbox-id': id, 'novita-sandbox-port': '49983' }
    const key = { 'x-api-key': 'e2b_00' }
    expect(target({ ...agent, ...key }, `/sandboxes/${id}/connect`, 'POST')).toBeUndefined()
    expect(target({ ...agent, ...key }, '/v2/sandboxes?limit=1')).toBeUndefined()
    expect(target(agent, `/sandboxes/${id}/connect`, 'POST')).toMatchObject({ by: 'id', port: 49_983 })
    expect(target({ ...agent, ...key }, '/files')).toMatchObject({ by: 'id', port: 49_983 })
    expect(target({ 'novita-sandbox-id': id, 'novita-sandbox-port': '3000', ...key }, '/sandboxes')).toMatchObject({ by: 'id', port: 3000 })
  })

  test.each([
    ['missing header', { 'e2b-sandbox-id': id }],
    ['missing header', { 'novita-sandbox-port': '1' }],
    ['Invalid sandbox port', { 'e2b-sandbox-id': id, 'e2b-sandbox-port': '65536' }],
    ['Invalid sandbox port', { 'e2b-sandbox-id': id, 'e2b-sandbox-port': '0' }],
    ['Invalid sandbox port', { 'e2b-sandbox-id': id, 'e2b-sandbox-port': '3e3' }],
    ['Invalid sandbox ID', { 'e2b-sandbox-id': '../x', 'e2b-sandbox-port': '1' }],
    ['Invalid sandbox ID', { 'e2b-sandbox-id': `${id}, ${id}`, 'e2b-sandbox-port': '1' }],
  ])('are refused with 400 "%s"', (message, headers) => {
    expect(target(headers)).toMatchObject({ by: 'nothing', refusal: { status: 400, message, isText: true } })
  })
})

describe('a host name', () => {
  test.each([
    `3000-${id}.sbx.localhost:3443`,
    `3000-${id}.sbx.localhost`,
    `3000-${id}.sbx.localhost:443`,
    `3000-${id.toUpperCase()}.SBX.localhost`,
    `3000-${id}-6532622b.sbx.localhost`,
    `3000-${id}.sbx.localhost.`,
  ])('names the sandbox: %s', (host) => {
    expect(target({ host }, '/health')).toEqual({ by: 'id', sandboxId: id, port: 3000 })
  })

  test.each([`http-${id}.sbx.localhost`, `99999-${id}.sbx.localhost`, '3000-short.sbx.localhost'])(
    'is refused when malformed: %s',
    (host) => {
      expect(target({ host })).toMatchObject({ by: 'nothing', refusal: { status: 400 } })
    },
  )

  test.each([
    'api.sbx.localhost',
    'sbx.localhost',
    `3000-${id}.example.com`,
    `a.3000-${id}.sbx.localhost`,
    '127.0.0.1:3180',
    '[::1]:3180',
    '',
  ])('is the control plane otherwise: %s', (host) => {
    expect(target({ host }, '/sandboxes')).toBeUndefined()
  })
})

describe('a path of the agent without an id', () => {
  test.each(['/process.Process/Start', '/filesystem.Filesystem/ListDir', '/files?path=a', '/envs', '/metrics', '/health'])(
    'is resolved by its token: %s',
    (url) => {
      expect(target({ 'x-access-token': 't' }, url)).toEqual({ by: 'token', token: 't' })
    },
  )

  test('is resolved by the signature of a file URL', () => {
    const url = '/files?path=%2Fa%20b&username=user&signature=v1_a%2Bb&signature_expiration=12'
    const file = { path: '/a b', operation: 'write', username: 'user', expiration: '12', signature: 'v1_a+b' }
    expect(target({}, url, 'POST')).toEqual({ by: 'signature', file })
  })

  test('reads what a signature leaves out as empty', () => {
    const file = { path: '', operation: 'read', username: '', expiration: null, signature: 's' }
    expect(target({}, '/files?signature=s')).toEqual({ by: 'signature', file })
  })

  test.each(['/files?path=a', '/files', '/process.Process/Start', '/envs'])(
    'is refused with an explanation when nothing names the sandbox: %s',
    (url) => {
      expect(target({}, url)).toMatchObject({ by: 'nothing', refusal: { status: 400 } })
    },
  )

  test.each(['/health', '/metrics', '/sandboxes', '/v2/sandboxes', '/', '/files/x', '/process.Process'])(
    'is the control plane otherwise: %s',
    (url) => {
      expect(target({ 'x-api-key': 'k' }, url)).toBeUndefined()
    },
  )
})
