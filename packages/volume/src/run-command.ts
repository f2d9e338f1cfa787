import { type StdioOptions, spawn } from 'node:child_process'
import { open } from 'node:fs/promises'

import { TorporError } from '@torpor/contract'
import { SetupProblem, findCommand } from '@torpor/setup'

/** The only file of this package that starts child processes. Argument vectors only, never a shell line. */

/** Runs a command of the system to its end and gives what it printed. @throws TorporError `internal`, its last words as context. */
export type Run = (program: string, ...args: string[]) => Promise<string>

/** A log that has to be replayed, or much that has to be written back, takes its time. */
const commandMilliseconds = 300_000
const waitSeconds = 120
const conflictCode = 75
const tailCharacters = 2000

/** Commands that only look. */
export const looking = (searchPath: readonly string[]): Run => commands(searchPath, ['ignore', 'pipe', 'pipe'])

/**
 * Does `work` alone among all processes of this machine that ask for the same lock file.
 * @throws SetupProblem when another one holds it for longer than two minutes.
 */
export async function holdingLock<T>(file: string, searchPath: readonly string[], work: (run: Run) => Promise<T>): Promise<T> {
  await using lock = await open(file, 'a', 0o600)
  // Every command inherits the lock: one that outlives this process, however that dies, keeps others away until it has ended.
  const run = commands(searchPath, ['ignore', 'pipe', 'pipe', lock.fd])
  await takeLock(run)
  return await work(run)
}

/** The lock belongs to the open file, not to the process that asks for it: it stays when `flock` has ended. */
async function takeLock(run: Run): Promise<void> {
  try {
    await run('flock', '--exclusive', '--wait', String(waitSeconds), '--conflict-exit-code', String(conflictCode), '3')
  } catch (error) {
    if (!isFailure(error) || error.context['exitCode'] !== conflictCode) throw error
    throw new SetupProblem('another process is at work on the volume of this data directory', { mend: './torpor status', cause: error })
  }
}

function commands(searchPath: readonly string[], stdio: StdioOptions): Run {
  return (program, ...args) => {
    const file = findCommand(program, searchPath)
    if (file === undefined) return Promise.reject(failure(program, args, { stderr: `${program}: no such command on this system` }))
    return ending(file, args, stdio)
  }
}

function ending(file: string, args: readonly string[], stdio: StdioOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { stdio, timeout: commandMilliseconds })
    const said = { stdout: '', stderr: '' }
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (said.stdout += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said.stderr += text))
    child.once('error', (error) => reject(failure(file, args, { stderr: error.message }, error)))
    child.once('close', (exitCode, signal) => {
      if (exitCode === 0) resolve(said.stdout)
      else reject(failure(file, args, { exitCode, signal, stderr: said.stderr.slice(-tailCharacters).trim() }))
    })
  })
}

function failure(program: string, args: readonly string[], ended: Readonly<Record<string, unknown>>, cause?: unknown): TorporError {
  const message = `A system command of the volume failed: ${program.slice(program.lastIndexOf('/') + 1)}`
  return new TorporError('internal', message, { context: { program, args, ...ended }, cause })
}

const isFailure = (error: unknown): error is TorporError => error instanceof TorporError && 'program' in error.context

/** The last words of a command that failed, or what else went wrong; for the operator. */
export function wordsOf(error: unknown): string {
  const said = isFailure(error) ? error.context['stderr'] : undefined
  if (typeof said === 'string' && said !== '') return said
  return error instanceof Error ? error.message : String(error)
}
