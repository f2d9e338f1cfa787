import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'

import { type InstallFlags, install, uninstall } from './install.ts'
import { settingsText, unitFile } from './unit.ts'

let directory: string
let flags: InstallFlags
let said: string

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'torpor-install-'))
  flags = { unitDirectory: path.join(directory, 'units'), settingsFile: path.join(directory, 'torpor.env') }
  said = ''
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    said += String(text)
    return true
  })
  for (const name of Object.keys(process.env)) if (name.startsWith('TORPOR_')) vi.stubEnv(name, undefined)
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true })
})

const places = { clone: '/opt/torpor', node: '/opt/node/bin/node', settingsFile: '/etc/torpor.env' }
const hasVerify = existsSync('/usr/bin/systemd-analyze')

describe('the unit', () => {
  it('starts the server in the foreground, and ends it alone', () => {
    const lines = unitFile(places).split('\n')
    expect(lines).toContain('ExecStart="/opt/torpor/torpor" up')
    expect(lines).toContain('KillMode=process')
    expect(lines).toContain('EnvironmentFile=-/etc/torpor.env')
    expect(lines).toContain('Environment="PATH=/opt/node/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"')
    expect(unitFile({ ...places, node: '/usr/bin/node' })).toContain('"PATH=/usr/local/sbin:')
  })

  it.runIf(hasVerify).each(['plain', 'with a blank', '100%i', 'a$b'])('passes systemd-analyze verify for a clone called %s', (name) => {
    const clone = path.join(directory, name)
    mkdirSync(clone)
    writeFileSync(path.join(clone, 'torpor'), '#!/bin/sh\n')
    chmodSync(path.join(clone, 'torpor'), 0o755)
    const unit = path.join(directory, 'torpor.service')
    writeFileSync(unit, unitFile({ ...places, clone }))
    // It speaks of every fault, and of faults alone.
    expect(execFileSync('systemd-analyze', ['verify', '--man=no', unit], { encoding: 'utf8', stdio: 'pipe', timeout: 20_000 })).toBe('')
  })
})

it('settings are read back as they are by what reads quotes as a shell does', () => {
  const value = String.raw`a "b" $c \ d` + '`e`'
  const text = settingsText({ TORPOR_DOMAIN: value })
  expect(execFileSync('sh', ['-c', `${text}\nprintf %s "$TORPOR_DOMAIN"`], { encoding: 'utf8' })).toBe(value)
})

describe('install', () => {
  it('keeps the settings of now for root alone, and done twice it changes nothing', async () => {
    vi.stubEnv('TORPOR_LISTEN', '127.0.0.1:4000')
    vi.stubEnv('TORPOR_DATA_DIR', directory)
    await install(flags)
    expect(statSync(flags.settingsFile).mode & 0o777).toBe(0o600)
    expect(readFileSync(flags.settingsFile, 'utf8')).toContain('TORPOR_LISTEN="127.0.0.1:4000"')
    const unit = path.join(flags.unitDirectory, 'torpor.service')
    const before = [readFileSync(unit, 'utf8'), statSync(unit).mtimeMs, statSync(flags.settingsFile).mtimeMs]
    said = ''
    await install(flags)
    expect([readFileSync(unit, 'utf8'), statSync(unit).mtimeMs, statSync(flags.settingsFile).mtimeMs]).toEqual(before)
    expect(said).toContain(`unchanged ${unit}`)
    expect(said).not.toContain('wrote')
  })

  it('keeps earlier settings when none are given', async () => {
    vi.stubEnv('TORPOR_LISTEN', '127.0.0.1:4000')
    await install(flags)
    vi.stubEnv('TORPOR_LISTEN', undefined)
    await install(flags)
    expect(readFileSync(flags.settingsFile, 'utf8')).toContain('127.0.0.1:4000')
  })

  it('refuses settings that no server would take, before it writes anything', async () => {
    vi.stubEnv('TORPOR_LISTEN', 'nowhere')
    await expect(install(flags)).rejects.toThrow('TORPOR_LISTEN')
    expect(readdirSync(directory)).toEqual([])
  })

  it('uninstall takes the unit back, leaves the settings, and may be repeated', async () => {
    await install(flags)
    await uninstall(flags)
    expect(readdirSync(flags.unitDirectory)).toEqual([])
    expect(existsSync(flags.settingsFile)).toBe(true)
    said = ''
    await uninstall(flags)
    expect(said).toBe('torpor is not installed\n')
  })
})
