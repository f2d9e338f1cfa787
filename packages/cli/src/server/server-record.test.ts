import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { identityOf, isAlive } from '../processes.ts'
import { announce, claim, owningProcess, servingServer, withdraw } from './server-record.ts'

let directory: string
const never = new AbortController().signal
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'torpor-record-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('the record of a running server', () => {
  it('stands from announce to withdraw, for the owner only', async () => {
    expect(await servingServer(directory)).toBeUndefined()
    await claim(directory, never)
    expect(await servingServer(directory)).toBeUndefined()
    expect(await owningProcess(directory)).toMatchObject({ pid: process.pid })
    await announce(directory, { address: '127.0.0.1:3180' })
    expect(await servingServer(directory)).toMatchObject({ pid: process.pid, address: '127.0.0.1:3180' })
    expect(statSync(path.join(directory, 'server.json')).mode & 0o777).toBe(0o600)
    await withdraw(directory)
    expect(readdirSync(directory)).toStrictEqual(['server.lock'])
  })

  it('does not take another process of the same number for the server', async () => {
    await announce(directory, { address: '127.0.0.1:3180' })
    const file = path.join(directory, 'server.json')
    const record: unknown = JSON.parse(readFileSync(file, 'utf8'))
    writeFileSync(file, JSON.stringify(Object.assign({}, record, { startTicks: 1 })))
    expect(await servingServer(directory)).toBeUndefined()
  })

  it.each(['', '{', '{"pid":"x"}'])('does not stumble over a damaged record: %j', async (content) => {
    writeFileSync(path.join(directory, 'server.json'), content)
    writeFileSync(path.join(directory, 'server.claim'), content)
    expect(await servingServer(directory)).toBeUndefined()
    await claim(directory, never)
    expect(await owningProcess(directory)).toMatchObject({ pid: process.pid })
  })

  it('refuses a second owner while the first lives, and only then', async () => {
    const other = spawn('sleep', ['30'], { stdio: 'ignore' })
    const identity = await identityOf(other.pid ?? 0)
    expect(identity).toBeDefined()
    writeFileSync(path.join(directory, 'server.claim'), JSON.stringify(identity))
    await expect(claim(directory, never)).rejects.toThrow(`another server (pid ${other.pid}) is starting or stopping`)
    const ended = new Promise((resolve) => other.once('exit', resolve))
    other.kill()
    await ended
    await claim(directory, never)
    expect(await owningProcess(directory)).toMatchObject({ pid: process.pid })
  })
})

describe('identityOf', () => {
  it('knows living processes', async () => {
    const own = await identityOf(process.pid)
    expect(own && (await isAlive(own))).toBe(true)
    expect(await identityOf(2 ** 30)).toBeUndefined()
  })
})
