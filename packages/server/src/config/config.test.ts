import { inspect } from 'node:util'

import { describe, expect, it } from 'vitest'

import { ConfigError, describeConfig, loadConfig } from './config.ts'
import { settings } from './env.ts'

const machine = { memoryMiB: 8000 }

/** The faults that loading `env` reports. */
function faultsOf(env: Record<string, string>): readonly string[] {
  try {
    loadConfig(env, machine)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}

describe('loadConfig', () => {
  it('has a default for everything', () => {
    const config = loadConfig({}, machine)
    expect(config).toMatchObject({
      dataDirectory: '/var/lib/torpor',
      listen: { host: '127.0.0.1', port: 3180 },
      resources: { cpuCount: 2, memoryMiB: 1024, diskMiB: 20_480 },
      defaultTimeoutSeconds: 300,
      maxTimeoutSeconds: 86_400,
      maxMemoryMiB: 6800,
      memoryOvercommit: 2,
      warmMemoryMiB: 2000,
      egressPrivate: 'deny',
      volumeSize: 'auto',
      diskReserveMiB: 512,
    })
    expect(config.apiKey).toBeUndefined()
  })

  it('takes what is given, and an empty variable for one that is not', () => {
    const config = loadConfig(
      { TORPOR_LISTEN: '[::1]:0', TORPOR_CPU: '', TORPOR_MEMORY_OVERCOMMIT: '1.5', TORPOR_DATA_DIR: '/a/../b/' },
      machine,
    )
    expect(config).toMatchObject({
      listen: { host: '::1', port: 0 },
      resources: { cpuCount: 2 },
      memoryOvercommit: 1.5,
      dataDirectory: '/b',
    })
  })

  it.each([
    ['off', 'off'],
    ['1024', 1024],
    ['', 'auto'],
  ])('takes TORPOR_VOLUME_SIZE=%s', (given, volumeSize) => {
    expect(loadConfig({ TORPOR_VOLUME_SIZE: given }, machine)).toMatchObject({ volumeSize })
  })

  it('lists every fault at once, by name', () => {
    const faults = faultsOf({
      TORPOR_CPU: '0',
      TORPOR_LISTEN: '3180',
      TORPOR_NETWROK: '10.1.0.0/16',
      TORPOR_LOG_LEVEL: 'loud',
      PATH: '/bin',
    })
    expect(faults.map((fault) => fault.split(':')[0])).toStrictEqual(['TORPOR_NETWROK', 'TORPOR_LISTEN', 'TORPOR_CPU', 'TORPOR_LOG_LEVEL'])
  })

  it.each([
    ['TORPOR_DATA_DIR', 'relative/path'],
    ['TORPOR_LISTEN', '127.0.0.1:99999'],
    ['TORPOR_LISTEN', 'not an address:80'],
    ['TORPOR_DOMAIN', 'Upper.example'],
    ['TORPOR_DOMAIN', 'https://example.org'],
    ['TORPOR_MEMORY_MIB', '1GB'],
    ['TORPOR_MEMORY_MIB', '1e3'],
    ['TORPOR_VOLUME_SIZE', '1023'],
    ['TORPOR_VOLUME_SIZE', 'none'],
    ['TORPOR_VOLUME_SIZE', '10G'],
    ['TORPOR_DISK_RESERVE_MIB', '-1'],
    ['TORPOR_CPU', '1.5'],
    ['TORPOR_CPU', '-1'],
    ['TORPOR_MEMORY_OVERCOMMIT', '0.5'],
    ['TORPOR_NETWORK', '10.207.0.0/24'],
    ['TORPOR_NETWORK', '10.207.1.0/16'],
    ['TORPOR_EGRESS_PRIVATE', 'yes'],
    ['TORPOR_API_KEY', 'e2b_nothex'],
  ])('refuses %s=%s', (name, value) => {
    expect(faultsOf({ [name]: value })).toStrictEqual([expect.stringMatching(new RegExp(`^${name}: must `))])
  })

  it('refuses settings that contradict each other', () => {
    expect(faultsOf({ TORPOR_DEFAULT_TIMEOUT: '10', TORPOR_MAX_TIMEOUT: '5' })).toStrictEqual([
      'TORPOR_DEFAULT_TIMEOUT: must not be above TORPOR_MAX_TIMEOUT',
    ])
    expect(faultsOf({ TORPOR_MAX_MEMORY: '200', TORPOR_MEMORY_MIB: '500' })).toHaveLength(1)
  })

  it('never shows the key', () => {
    const key = 'e2b_0123456789abcdef'
    const config = loadConfig({ TORPOR_API_KEY: key }, machine)
    expect(config.apiKey?.reveal()).toBe(key)
    for (const shown of [JSON.stringify(config), inspect(config, { depth: 5 }), JSON.stringify(describeConfig(config, machine))]) {
      expect(shown).not.toContain(key)
      expect(shown).toContain('[secret]')
    }
    expect(faultsOf({ TORPOR_API_KEY: 'my-bad-key' }).join()).not.toContain('my-bad-key')
  })
})

describe('describeConfig', () => {
  it('has a row with a meaning and a unit for every setting', () => {
    const rows = describeConfig(loadConfig({ TORPOR_CPU: '4' }, machine), machine)
    expect(rows.map((row) => row.name)).toStrictEqual(settings.map((setting) => setting.name))
    expect(rows.every((row) => row.doc !== '' && row.unit !== '')).toBe(true)
    expect(rows.find((row) => row.name === 'TORPOR_CPU')).toMatchObject({ value: '4', default: '2' })
    expect(rows.find((row) => row.name === 'TORPOR_MAX_MEMORY')).toMatchObject({ value: '6800', default: '6800' })
  })
})
