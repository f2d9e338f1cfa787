import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { holdingLock, looking, wordsOf } from './run-command.ts'
import { searchPath } from './trial-machine.ts'

let directory = ''
let file = ''
const run = looking(searchPath)

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'torpor-volume-lock-'))
  file = path.join(directory, 'lock')
})
afterEach(() => rm(directory, { recursive: true }))

const isHeld = (): Promise<boolean> =>
  run('flock', '--nonblock', file, 'true').then(
    () => false,
    () => true,
  )

describe('the lock', () => {
  it('lets one work at a time, in one process as well', async () => {
    let working = 0
    let most = 0
    const work = async (): Promise<void> => {
      most = Math.max(most, (working += 1))
      expect(await isHeld()).toBe(true)
      working -= 1
    }
    await Promise.all(Array.from({ length: 5 }, () => holdingLock(file, searchPath, work)))
    expect([most, await isHeld()]).toStrictEqual([1, false])
  })

  it('is given back when the work fails', async () => {
    await expect(holdingLock(file, searchPath, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
    expect(await isHeld()).toBe(false)
  })

  it('is held by a command that outlives the process that started it, until it ends', async () => {
    const pipe = path.join(directory, 'pipe')
    await run('mkfifo', pipe)
    const child = killableHolder(pipe)
    await once(child, 'spawn')
    // Opens when the command has opened its end: it runs now, and waits for what we write.
    const writer = spawn('sh', ['-c', 'exec cat > "$1"', 'sh', pipe], { stdio: ['pipe', 'ignore', 'ignore'] })
    await once(child.stdout ?? child, 'data')
    child.kill('SIGKILL')
    await once(child, 'close')
    expect(await isHeld()).toBe(true)
    writer.stdin.end()
    await holdingLock(file, searchPath, () => Promise.resolve())
    expect(await isHeld()).toBe(false)
  })
})

/** Starts a command under the lock that ends when the pipe does, and says when it runs. */
function killableHolder(pipe: string): ChildProcess {
  const program = `
    const [module, file, searchPath, pipe] = process.argv.slice(1)
    const { holdingLock } = await import(module)
    await holdingLock(file, searchPath.split(':'), async (run) => {
      const ending = run('cat', pipe)
      process.stdout.write('running')
      await ending
    })`
  const module = path.join(import.meta.dirname, 'run-command.ts')
  return spawn(process.execPath, ['--input-type=module', '--eval', program, module, file, searchPath.join(':'), pipe], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
}

describe('a command that fails', () => {
  it('is an error with its exit code and last words for the log, and no path in what users see', async () => {
    const script = path.join(directory, 'fails')
    await writeFile(script, '#!/bin/sh\necho first words\necho last words >&2\nexit 7\n', { mode: 0o755 })
    const error: unknown = await looking([directory])('fails', 'a b').catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name: 'TorporError', kind: 'internal', message: 'A system command of the volume failed: fails' })
    expect(error).toMatchObject({ context: { program: script, args: ['a b'], exitCode: 7, stderr: 'last words' } })
    expect(wordsOf(error)).toBe('last words')
  })

  it('is one as well when there is no such command', async () => {
    await expect(run('torpor-has-no-such-command')).rejects.toMatchObject({
      context: { stderr: 'torpor-has-no-such-command: no such command on this system' },
    })
  })
})
