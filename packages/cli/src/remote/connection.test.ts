import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, expect, it } from 'vitest'

import { announce } from '../server/server-record.ts'
import { type ConnectionFlags, resolveConnection } from './connection.ts'

let directory: string
let local: Record<string, string>
const localKey = `e2b_${'a'.repeat(40)}`

/** The data directory of a server that seems to run. */
beforeEach(async () => {
  directory = mkdtempSync(path.join(tmpdir(), 'torpor-connection-'))
  writeFileSync(path.join(directory, 'api-key'), localKey)
  await announce(directory, { address: '0.0.0.0:4000', tlsAddress: '0.0.0.0:4443' })
  local = { TORPOR_DATA_DIR: directory }
})
afterEach(() => rmSync(directory, { recursive: true }))

async function resolved(env: Record<string, string>, flags: ConnectionFlags = {}) {
  const { apiKey, ...connection } = await resolveConnection(flags, env)
  return { ...connection, apiKey: apiKey.reveal() }
}

it('asks the server of this machine when none is named', async () => {
  const apiUrl = 'http://127.0.0.1:4000'
  expect(await resolved(local)).toEqual({ apiUrl, sandboxUrl: apiUrl, domain: 'sbx.localhost:4443', apiKey: localKey })
  expect(await resolved({ ...local, E2B_API_KEY: 'e2b_11' })).toMatchObject({ apiUrl, apiKey: 'e2b_11' })
})

it('asks the server of the variables, each family whole', async () => {
  const e2b = { E2B_API_URL: 'http://a:1', E2B_API_KEY: 'k1', E2B_DOMAIN: 'a.dev' }
  const novita = { NOVITA_API_URL: 'b.dev/', NOVITA_API_KEY: 'k2', NOVITA_SANDBOX_URL: 'https://s.b.dev' }
  expect(await resolved({ ...local, ...e2b, ...novita })).toEqual({
    apiUrl: 'http://a:1',
    sandboxUrl: 'http://a:1',
    domain: 'a.dev',
    apiKey: 'k1',
  })
  const second = { apiUrl: 'https://b.dev', sandboxUrl: 'https://s.b.dev', domain: undefined, apiKey: 'k2' }
  expect(await resolved({ ...e2b, ...novita }, { family: 'NOVITA' })).toEqual(second)
  expect(await resolved(novita)).toEqual(second)
  expect(await resolved({ E2B_DOMAIN: 'c.dev:8443', E2B_API_KEY: 'k' })).toMatchObject({
    apiUrl: 'https://api.c.dev:8443',
    domain: 'c.dev:8443',
  })
})

it('flags win, and a key of a file is trimmed', async () => {
  const file = path.join(directory, 'key')
  writeFileSync(file, 'e2b_77\n')
  const env = { E2B_API_URL: 'http://a:1', E2B_SANDBOX_URL: 'http://s:1', E2B_API_KEY: 'k1' }
  expect(await resolved(env, { apiUrl: 'http://c:2', apiKeyFile: file, domain: 'c.dev' })).toEqual({
    apiUrl: 'http://c:2',
    sandboxUrl: 'http://c:2',
    domain: 'c.dev',
    apiKey: 'e2b_77',
  })
})

it.each([
  ['no server runs here', { TORPOR_DATA_DIR: '/nonexistent' }, {}, 3],
  ['there is no API key', { E2B_API_URL: 'http://a:1' }, {}, 2],
  ['no URL', { E2B_API_URL: 'ftp://a', E2B_API_KEY: 'k' }, {}, 2],
])('says that %s', async (message, env, flags, exitCode) => {
  await expect(resolved(env, flags)).rejects.toMatchObject({ message: expect.stringContaining(message), exitCode })
})

it('tells of a key file that is empty or not there', async () => {
  const file = path.join(directory, 'key')
  await expect(resolved(local, { apiKeyFile: file })).rejects.toThrow('cannot be read')
  writeFileSync(file, '\n')
  chmodSync(file, 0o600)
  await expect(resolved(local, { apiKeyFile: file })).rejects.toThrow('is empty')
})
