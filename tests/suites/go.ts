/** A Go module's vet and tests, read from Go's own machine-readable lines: one object per event. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'

import { z } from 'zod'

import { command, failure, root, type Outcome, type Suite } from './suite.ts'

const event = z.object({
  Action: z.string(),
  Package: z.string().optional(),
  Test: z.string().optional(),
  Output: z.string().optional(),
})
type Event = z.infer<typeof event>

/** `more`: variables that the module's tests need, made when their turn comes. */
export function goSuite(name: string, more: () => Promise<Readonly<Record<string, string>>> = async () => ({})): Suite {
  const directory = path.join(root, name)
  return {
    name: `go ${name}`,
    run: async () => {
      const env = { ...process.env, ...(await more()) }
      if (!command('go', ['vet', './...'], directory, env)) return { passed: 0, failures: [failure('go vet')] }
      const result = spawnSync('go', ['test', '-json', './...'], { cwd: directory, env, encoding: 'utf8', maxBuffer: 2 ** 28 })
      const outcome = readGoEvents(result.stdout, result.status === 0)
      if (outcome.failures.length > 0) process.stdout.write(outputOf(eventsIn(result.stdout)) + result.stderr)
      return outcome
    },
  }
}

/** @param ended - whether `go test` ended well: without a failed test, a bad end is a failure itself. */
export function readGoEvents(lines: string, ended: boolean): Outcome {
  const events = eventsIn(lines)
  const tests = (action: string): Event[] => events.filter((entry) => entry.Test !== undefined && entry.Action === action)
  const failures = tests('fail').map((failed) => {
    const own = events.filter(({ Package, Test }) => Package === failed.Package && Test === failed.Test)
    return failure(`${failed.Package ?? ''} ${failed.Test ?? ''}`, outputOf(own))
  })
  if (failures.length === 0 && !ended) failures.push(failure('go test', outputOf(events.filter(({ Test }) => Test === undefined))))
  return { passed: tests('pass').length, failures }
}

const eventsIn = (lines: string): Event[] =>
  lines
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => event.parse(JSON.parse(line)))

const outputOf = (events: readonly Event[]): string => events.map((entry) => entry.Output ?? '').join('')
