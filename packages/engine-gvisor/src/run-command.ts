import { execFile } from 'node:child_process'

import { TorporError } from '@torpor/contract'

/** How a command is run. */
export interface CommandOptions {
  /** Text for its standard input; without one it reads nothing. */
  readonly input?: string
  readonly timeoutMilliseconds?: number
}

/**
 * Runs a program of the system with an argument vector (never through a shell) and gives its standard output.
 * @throws TorporError `internal` with the exit code and the last of its error output as context.
 */
export function runCommand(program: string, args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, [...args], { timeout: options.timeoutMilliseconds ?? 20_000 }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout)
      const context = { program, args, exitCode: error.code, signal: error.signal, stderr: stderr.slice(-2000) }
      reject(new TorporError('internal', `A system command of the engine failed: ${program}`, { context, cause: error }))
    })
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(options.input ?? '')
  })
}
