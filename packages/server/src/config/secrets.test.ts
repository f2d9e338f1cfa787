import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { inspect } from 'node:util'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { ConfigError } from './config.ts'
import { Secret } from './secret.ts'
import { loadSecrets, readApiKey } from './secrets.ts'

let directory: string
const withoutKey = { apiKey: undefined }
const modeOf = (name: string): number => statSync(path.join(directory, name)).mode & 0o777

beforeEach(() => {
  directory = path.join(mkdtempSync(path.join(tmpdir(), 'torpor-secrets-')), 'data')
})
afterEach(() => {
  rmSync(path.dirname(directory), { recursive: true, force: true })
})

describe('Secret', () => {
  it('shows itself to nobody who does not ask', () => {
    const secret = new Secret('hunter2')
    const shown = [
      String(secret),
      [secret].join(),
      JSON.stringify({ secret }),
      inspect({ nested: { secret } }),
      inspect(secret, { showHidden: true }),
    ]
    expect(shown.join()).not.toContain('hunter2')
    expect(String(secret)).toBe('[secret]')
    expect(secret.reveal()).toBe('hunter2')
  })
})

describe('loadSecrets', () => {
  it('makes them once, readable by the owner only', () => {
    const first = loadSecrets(directory, withoutKey)
    expect(first.apiKey.reveal()).toMatch(/^e2b_[0-9a-f]{40}$/)
    expect(first.serverSecret.reveal()).toMatch(/^[0-9a-f]{64}$/)
    expect([modeOf('.'), modeOf('api-key'), modeOf('server-secret')]).toStrictEqual([0o700, 0o600, 0o600])
    expect(readdirSync(directory).sort()).toStrictEqual(['api-key', 'server-secret'])
    const second = loadSecrets(directory, withoutKey)
    expect(second.apiKey.reveal()).toBe(first.apiKey.reveal())
    expect(second.serverSecret.reveal()).toBe(first.serverSecret.reveal())
  })

  it('closes a file that somebody opened', () => {
    loadSecrets(directory, withoutKey)
    chmodSync(path.join(directory, 'api-key'), 0o644)
    loadSecrets(directory, withoutKey)
    expect(modeOf('api-key')).toBe(0o600)
  })

  it('prefers the key of the configuration and does not write it down', () => {
    const secrets = loadSecrets(directory, { apiKey: new Secret('e2b_00112233445566778899') })
    expect(secrets.apiKey.reveal()).toBe('e2b_00112233445566778899')
    expect(readdirSync(directory)).toStrictEqual(['server-secret'])
  })

  it('refuses a damaged file, naming it and not its content', () => {
    loadSecrets(directory, withoutKey)
    writeFileSync(path.join(directory, 'server-secret'), 'truncat')
    expect(() => loadSecrets(directory, withoutKey)).toThrow(ConfigError)
    expect(() => loadSecrets(directory, withoutKey)).toThrow(/server-secret: holds no valid secret(?!.*truncat)/)
    expect(readFileSync(path.join(directory, 'server-secret'), 'utf8')).toBe('truncat')
  })
})

describe('readApiKey', () => {
  it('makes nothing', () => {
    expect(readApiKey(directory, withoutKey)).toBeUndefined()
    const { apiKey } = loadSecrets(directory, withoutKey)
    expect(readApiKey(directory, withoutKey)?.reveal()).toBe(apiKey.reveal())
  })
})
