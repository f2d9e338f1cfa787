import { type ChildProcess, spawn } from 'node:child_process'
import { type FileHandle, readFile } from 'node:fs/promises'
import process from 'node:process'

/** The only file of this package that starts child processes; what they are told stands in argument vectors. */

const ownOptions = ['--disable-warning=ExperimentalWarning']

/** Runs Node on `args` with this terminal and variables, `defaults` where there are none. @returns its exit code; 1 when a signal ended it. */
export const runNode = (args: readonly string[], cwd: string, defaults: Readonly<Record<string, string>>): Promise<number> =>
  ending(spawn(process.execPath, [...ownOptions, ...args], { cwd, stdio: 'inherit', env: { ...defaults, ...process.env } }))

/** Runs a program with this terminal. @returns its exit code; 1 when a signal ended it. @throws the system's error when there is none. */
export const runProgram = (program: string, args: readonly string[]): Promise<number> => ending(spawn(program, args, { stdio: 'inherit' }))

function ending(child: ChildProcess): Promise<number> {
  // The terminal sends Ctrl-C to both; the child decides.
  const passOn = (signal: NodeJS.Signals): void => void child.kill(signal)
  const ignore = (): void => undefined
  process.on('SIGTERM', passOn).on('SIGINT', ignore)
  return new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', (code) => resolve(code ?? 1))
  }).finally(() => process.off('SIGTERM', passOn).off('SIGINT', ignore))
}

/** A process that goes on without us. */
export interface Detached {
  readonly pid: number
  /** Its exit code once it ended; null when a signal ended it; undefined as long as it runs. */
  exitCode(): number | null | undefined
  /** Lets this process end while the other goes on. */
  release(): void
}

/** Starts Node on `args` in a session of its own, without a terminal, with its output in `log`. */
export function startDetached(args: readonly string[], cwd: string, log: FileHandle): Detached {
  const child = spawn(process.execPath, [...ownOptions, ...args], { cwd, detached: true, stdio: ['ignore', log.fd, log.fd] })
  let ended: number | null | undefined
  child.once('exit', (code) => (ended = code))
  child.once('error', () => (ended = null))
  return { pid: child.pid ?? -1, exitCode: () => ended, release: () => child.unref() }
}

/** A process beyond doubt: its number and when it started, since numbers are used again. */
export interface ProcessIdentity {
  readonly pid: number
  /** Clock ticks since the machine's start, from /proc. */
  readonly startTicks: number
}

export async function identityOf(pid: number): Promise<ProcessIdentity | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // The name in parentheses may hold anything; the fields after it are numbers. A zombie has ended.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const startTicks = Number(fields[19])
  return stat === '' || fields[0] === 'Z' || !Number.isSafeInteger(startTicks) ? undefined : { pid, startTicks }
}

/** Whether exactly that process still runs. */
export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identityOf(identity.pid))?.startTicks === identity.startTicks
}
