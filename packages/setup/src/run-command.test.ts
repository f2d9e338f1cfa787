import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { type Argv, CommandFailed, commandOutput, holdLock, runCommand } from './run-command.ts'

let directory: string
let logFile: string
const never = new AbortController().signal

beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'torpor-commands-'))
  logFile = path.join(directory, 'log')
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const failureOf = (argv: Argv, options: { timeoutMilliseconds?: number; signal?: AbortSignal } = {}): Promise<unknown> =>
  runCommand(argv, { logFile, timeoutMilliseconds: 10_000, signal: never, ...options }).then(
    () => undefined,
    (error: unknown) => error,
  )

describe('runCommand', () => {
  it('keeps what was printed, and passes arguments as they are', async () => {
    expect(await failureOf(['printf', '%s|', 'a b', '$HOME;ls'])).toBeUndefined()
    expect(readFileSync(logFile, 'utf8')).toContain('a b|$HOME;ls|')
  })

  it('gives a command nothing to read', async () => {
    expect(await failureOf(['cat'])).toBeUndefined()
  })

  it('tells how it failed and its last words only', async () => {
    await runCommand(['echo', 'earlier'], { logFile, timeoutMilliseconds: 1000, signal: never })
    const error = await failureOf(['sh', '-c', 'echo last words >&2; exit 7'])
    expect(error).toBeInstanceOf(CommandFailed)
    expect(error).toMatchObject({ message: 'sh ended with exit code 7', exitCode: 7 })
    expect(error).toHaveProperty('tail', expect.stringMatching(/last words$/))
    expect(error).toHaveProperty('tail', expect.not.stringContaining('earlier'))
  })

  it('tells of a command that does not exist', async () => {
    expect(await failureOf(['torpor-has-no-such-command'])).toMatchObject({ message: expect.stringContaining('could not be started') })
  })

  it('ends the whole group when the time is up', async () => {
    const late = path.join(directory, 'late')
    const error = await failureOf(['sh', '-c', `(sleep 1; touch ${late}) & wait`], { timeoutMilliseconds: 100 })
    expect(error).toMatchObject({ message: 'sh did not end within 0 s' })
    await delay(1200)
    expect(existsSync(late)).toBe(false)
  })

  it('ends it when it is cancelled', async () => {
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 50)
    expect(await failureOf(['sleep', '30'], { signal: controller.signal })).toMatchObject({ message: 'sleep was cancelled' })
  })
})

describe('commandOutput', () => {
  it('gives the output, or undefined for any failure', async () => {
    expect(await commandOutput(['echo', 'hello'])).toBe('hello\n')
    expect(await commandOutput(['false'])).toBeUndefined()
    expect(await commandOutput(['torpor-has-no-such-command'])).toBeUndefined()
  })
})

describe('holdLock', () => {
  it('lets one in at a time and tells those who wait', async () => {
    const file = path.join(directory, 'lock')
    const order: string[] = []
    const releaseFirst = await holdLock(file, never, () => order.push('first waits'))
    const second = async (): Promise<void> => {
      const release = await holdLock(file, never, () => order.push('second waits'))
      order.push('second in')
      release()
    }
    const waiting = second()
    await delay(700)
    order.push('first out')
    releaseFirst()
    await waiting
    expect(order).toStrictEqual(['second waits', 'first out', 'second in'])
  })

  it('stops waiting when it is cancelled', async () => {
    const file = path.join(directory, 'lock')
    const release = await holdLock(file, never, () => undefined)
    const controller = new AbortController()
    setTimeout(() => controller.abort(), 50)
    await expect(holdLock(file, controller.signal, () => undefined)).rejects.toThrow(/abort/i)
    release()
  })
})
