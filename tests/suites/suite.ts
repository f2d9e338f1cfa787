/** What `npm test` runs, and what a run says: how many passed, and what failed, each with its reason. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'

export interface Outcome {
  readonly passed: number
  /** One text per failure: its name, and what was seen on the lines below. */
  readonly failures: readonly string[]
}

export interface Suite {
  readonly name: string
  run(): Outcome | Promise<Outcome>
}

export const root = path.join(import.meta.dirname, '..', '..')
export const bin = (name: string): string => path.join(root, 'node_modules', '.bin', name)

const mostLines = 16

/** A failure as the closing list shows it: the name, and the first lines of what was seen, indented. */
export function failure(name: string, seen = ''): string {
  const lines = seen.split('\n').filter((line) => line.trim() !== '')
  const shown = lines.length > mostLines ? [...lines.slice(0, mostLines), '…'] : lines
  return [name, ...shown.map((line) => `    ${line}`)].join('\n')
}

/** Output goes straight to the terminal; only the exit code is looked at. */
export function command(program: string, args: readonly string[], directory = root, env = process.env): boolean {
  const { status, error } = spawnSync(program, args, { cwd: directory, env, stdio: ['ignore', 'inherit', 'inherit'] })
  if (error) process.stderr.write(`${program}: ${error.message}\n`)
  return status === 0
}

/** A command that counts as one test. */
export const check = (name: string, program: string, args: readonly string[]): Suite => ({
  name,
  run: () => (command(program, args) ? { passed: 1, failures: [] } : { passed: 0, failures: [failure('the command failed')] }),
})
