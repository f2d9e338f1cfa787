import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { type Config, ConfigError, loadConfig } from '../config/config.ts'
import { readAuthority } from './authority.ts'
import { certificateProblem } from './certificate-source.ts'
import { openIdentity } from './identity.ts'
import { makeAuthority, makeLeaf } from './make-certificates.ts'
import { clientTrust } from './trust.ts'

let directory: string
const log = { info: vi.fn<() => void>(), warn: vi.fn<() => void>(), error: vi.fn<() => void>() }

const configWith = (settings: Record<string, string> = {}): Config =>
  loadConfig({ TORPOR_DATA_DIR: path.join(directory, 'data'), TORPOR_TRUST_DIR: path.join(directory, 'trust'), ...settings })

const modeOf = (...names: string[]): number => statSync(path.join(directory, ...names)).mode & 0o777

/** Writes a certificate of its own for `names`, as an operator would; gives the settings that name it. */
async function operatorFiles(names: readonly string[], days = 10): Promise<Record<string, string>> {
  const leaf = await makeLeaf(await makeAuthority('Operator', 100), names, days)
  const settings = { TORPOR_TLS_CERT: path.join(directory, 'own.crt'), TORPOR_TLS_KEY: path.join(directory, 'own.key') }
  writeFileSync(settings.TORPOR_TLS_CERT, leaf.certificate)
  writeFileSync(settings.TORPOR_TLS_KEY, leaf.key)
  return settings
}

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'torpor-tls-'))
})
afterEach(() => {
  vi.useRealTimers()
  vi.clearAllMocks()
  rmSync(directory, { recursive: true, force: true })
})

describe('the local authority', () => {
  it('is made once, its key for the owner only, its certificate for everybody', async () => {
    const first = await openIdentity(configWith(), log)
    const second = await openIdentity(configWith(), log)
    expect(first?.authority).toMatch(/^-----BEGIN CERTIFICATE-----/)
    expect(second?.authority).toBe(first?.authority)
    expect([modeOf('data', 'tls'), modeOf('data', 'tls', 'authority.pem')]).toStrictEqual([0o700, 0o600])
    const trust = clientTrust(configWith())
    expect(readFileSync(trust?.authority ?? '', 'utf8')).toBe(first?.authority)
    expect(readFileSync(trust?.bundle ?? '', 'utf8').endsWith(`\n${first?.authority}`)).toBe(true)
    expect(readdirSync(path.join(directory, 'trust')).map((name) => modeOf('trust', name))).toStrictEqual([0o644, 0o644])
    expect(readFileSync(trust?.bundle ?? '', 'utf8')).not.toContain('PRIVATE KEY')
  })

  it('signs for the domain and the names right below it, and anew when half of the time is over', async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    const identity = await openIdentity(configWith({ TORPOR_DOMAIN: 'sbx.example.test:8443' }), log)
    const first = await identity?.certificates()
    const certificate = new X509Certificate(first?.certificate ?? '')
    expect(certificate.subjectAltName).toBe('DNS:sbx.example.test, DNS:*.sbx.example.test')
    vi.setSystemTime(Date.now() + 14 * 86_400_000)
    expect(await identity?.certificates()).toBe(first)
    vi.setSystemTime(Date.now() + 2 * 86_400_000)
    const renewed = new X509Certificate((await identity?.certificates())?.certificate ?? '')
    expect(renewed.validToDate.getTime()).toBeGreaterThan(certificate.validToDate.getTime())
  })

  it('is replaced before it ends, and a damaged one is refused by name', async () => {
    const first = await openIdentity(configWith(), log)
    vi.useFakeTimers({ toFake: ['Date'] })
    vi.setSystemTime(Date.now() + 3600 * 86_400_000)
    expect((await openIdentity(configWith(), log))?.authority).not.toBe(first?.authority)
    writeFileSync(path.join(directory, 'data', 'tls', 'authority.pem'), 'nonsense')
    expect(() => readAuthority(path.join(directory, 'data'))).toThrow(ConfigError)
  })

  it('is not made when TLS is off, and clients are told of none', async () => {
    for (const off of ['off', '']) {
      expect(await openIdentity(configWith({ TORPOR_TLS_LISTEN: off }), log)).toBeUndefined()
      expect(clientTrust(configWith({ TORPOR_TLS_LISTEN: off }))).toBeUndefined()
    }
    expect(readdirSync(directory)).toStrictEqual([])
  })
})

describe("the operator's certificate", () => {
  it('is used as it is, read again when it changes, and clients are told of no authority', async () => {
    const settings = await operatorFiles(['sbx.localhost', '*.sbx.localhost'])
    const identity = await openIdentity(configWith(settings), log)
    const first = await identity?.certificates()
    expect([first?.certificate, identity?.authority]).toStrictEqual([readFileSync(settings['TORPOR_TLS_CERT'] ?? '', 'utf8'), undefined])
    await operatorFiles(['sbx.localhost', '*.sbx.localhost'])
    expect((await identity?.certificates())?.certificate).not.toBe(first?.certificate)
    expect(log.warn).not.toHaveBeenCalled()
    expect(await certificateProblem(configWith(settings))).toBeUndefined()
  })

  it.each([
    ['does not cover *.sbx.localhost', ['sbx.localhost'], 10],
    ['ended on', ['*.sbx.localhost'], -0.5],
  ])('that %s is complained about', async (complaint, names, days) => {
    const settings = await operatorFiles(names, days)
    await openIdentity(configWith(settings), log)
    expect(log.warn).toHaveBeenCalledWith(expect.anything(), expect.stringContaining(complaint))
    expect(await certificateProblem(configWith(settings))).toContain(complaint)
  })

  it('that does not fit its key is refused, and so is one without a key', async () => {
    const settings = await operatorFiles(['*.sbx.localhost'])
    writeFileSync(settings['TORPOR_TLS_KEY'] ?? '', (await makeAuthority('Other', 1)).key)
    await expect(openIdentity(configWith(settings), log)).rejects.toThrow('the key is not that of the certificate')
    expect(() => configWith({ TORPOR_TLS_CERT: '/a.crt' })).toThrow('TORPOR_TLS_KEY: a certificate and its key are given together')
  })
})
