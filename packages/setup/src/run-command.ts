import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { open, readFile, stat } from 'node:fs/promises'

/** The only file of this package that starts child processes. Argument vectors only, never a shell line. */
export type Argv = readonly [string, ...string[]]

export interface RunOptions {
  /** Receives what the command prints; appended to. */
  readonly logFile: string
  readonly timeoutMilliseconds: number
  /** Ends the command, and what it started, when aborted. */
  readonly signal: AbortSignal
  readonly cwd?: string
}

/** A command that did not end with 0. */
export class CommandFailed extends Error {
  /** The last lines that it printed. */
  readonly tail: string
  /** null when it could not be started or was ended by a signal. */
  readonly exitCode: number | null

  constructor(message: string, tail: string, exitCode: number | null, cause?: unknown) {
    super(message, { cause })
    this.name = 'CommandFailed'
    this.tail = tail
    this.exitCode = exitCode
  }
}

const killGraceMilliseconds = 10_000
const tailBytes = 2000

/**
 * Runs `argv` to its end with /dev/null as input and `logFile` as output.
 * @throws CommandFailed when it fails, is aborted or runs out of time; by then its whole process group has been signalled.
 */
export async function runCommand(argv: Argv, options: RunOptions): Promise<void> {
  const { logFile, timeoutMilliseconds, signal, cwd } = options
  signal.throwIfAborted()
  await using log = await open(logFile, 'a', 0o600)
  const start = (await log.stat()).size
  await log.write(`$ ${argv.join(' ')}\n`)
  // A group of its own, so that it can be ended as a whole and the terminal's Ctrl-C reaches only us.
  const child = spawn(argv[0], argv.slice(1), { cwd, stdio: ['ignore', log.fd, log.fd], detached: true })
  const ending = endingOf(child)
  const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMilliseconds)])
  const end = (): void => endGroup(child)
  limit.addEventListener('abort', end, { once: true })
  const { exitCode, error } = await ending.finally(() => limit.removeEventListener('abort', end))
  if (exitCode === 0 && !limit.aborted) return
  const why = whyEnded(error, exitCode, signal.aborted, limit.aborted ? timeoutMilliseconds : undefined)
  throw new CommandFailed(`${nameOf(argv)} ${why}`, await tailOf(logFile, start), exitCode, error)
}

/** What is really run behind `env A=b` and `sh`: the name that tells the user most. */
function nameOf(argv: Argv): string {
  const program = argv.find((word, index) => !['env', 'sh'].includes(word) && !(index > 0 && /^\w+=/.test(word)))
  return program === undefined || program.startsWith('-') ? argv[0] : program
}

function whyEnded(error: unknown, exitCode: number | null, cancelled: boolean, timeoutMilliseconds: number | undefined): string {
  if (error instanceof Error) return `could not be started: ${error.message}`
  if (cancelled) return 'was cancelled'
  if (timeoutMilliseconds !== undefined) return `did not end within ${Math.round(timeoutMilliseconds / 1000)} s`
  return exitCode === null ? 'was ended by a signal' : `ended with exit code ${exitCode}`
}

/** Never rejects: how the child ended, or why it could not be started. */
function endingOf(child: ChildProcess): Promise<{ exitCode: number | null; error?: Error }> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ exitCode: null, error }))
    child.once('exit', (exitCode) => resolve({ exitCode }))
  })
}

function endGroup(child: ChildProcess): void {
  signalGroup(child, 'SIGTERM')
  setTimeout(() => {
    if (child.exitCode === null && child.signalCode === null) signalGroup(child, 'SIGKILL')
  }, killGraceMilliseconds).unref()
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch {
    // The group is gone already.
  }
}

/** The last lines of what was appended to `logFile` after byte `start`. */
async function tailOf(logFile: string, start: number): Promise<string> {
  const size = (await stat(logFile)).size
  const content = await readFile(logFile)
  const from = Math.max(start, size - tailBytes)
  return content.subarray(from).toString('utf8').trimEnd().split('\n').slice(-12).join('\n')
}

/** The standard output of a quick command; undefined when it fails or takes longer than 10 s. */
export function commandOutput(argv: Argv): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = execFile(argv[0], argv.slice(1), { timeout: 10_000, maxBuffer: 16 * 1024 * 1024 }, (error, stdout) => {
      resolve(error ? undefined : stdout)
    })
    child.stdin?.end()
  })
}

/**
 * Waits for the exclusive lock on `file`, which this process then holds until it lets go or dies, however it dies.
 * @returns the function that lets go. @throws the signal's reason when it is aborted while waiting.
 */
export async function holdLock(file: string, signal: AbortSignal, onWait: () => void): Promise<() => void> {
  signal.throwIfAborted()
  // `cat` ends when our end of the pipe closes, and the lock goes with it.
  const holder = spawn('flock', ['--exclusive', file, 'sh', '-c', 'echo held; exec cat'], {
    stdio: ['pipe', 'pipe', 'ignore'],
    detached: true,
  })
  // Only while it waits: a lock that is held outlives the wish to stop, until what it guards is cleaned up.
  const giveUp = (): void => void holder.kill()
  signal.addEventListener('abort', giveUp, { once: true })
  const waiting = setTimeout(onWait, 500)
  const failed = once(holder, 'exit').then(() => {
    throw new CommandFailed('flock could not take the lock', file, holder.exitCode)
  })
  try {
    await Promise.race([once(holder.stdout, 'data'), failed])
  } catch (error) {
    signal.throwIfAborted()
    throw error
  } finally {
    clearTimeout(waiting)
    signal.removeEventListener('abort', giveUp)
    failed.catch(() => undefined)
  }
  return () => holder.stdin.end()
}
