import { describe, expect, it } from 'vitest'

import { plainReporter } from './reporter.ts'
import { CommandFailed } from './run-command.ts'
import { type Step, type StepContext, pendingSteps, runSteps } from './run-steps.ts'
import { SetupProblem } from './setup-problem.ts'

/** Runs `steps` and gives what was reported. */
async function reported(steps: readonly Step[], signal = new AbortController().signal): Promise<{ lines: string[]; error: unknown }> {
  const lines: string[] = []
  const reporter = plainReporter({ write: (text) => lines.push(text.trimEnd().replace(/ (in|after) .*/, '')) })
  const error: unknown = await runSteps(steps, { reporter, signal, logFileOf: (step) => `/dev/null#${step}` }).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  return { lines, error }
}

/** A step whose result is a flag. */
function step(name: string, run: (context: StepContext) => Promise<void> | void, after: readonly string[] = []): Step {
  let done = false
  return {
    name,
    after,
    done: () => done,
    run: async (context) => {
      await run(context)
      done = true
    },
  }
}

const untilAborted = ({ signal }: StepContext): Promise<void> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))

describe('runSteps', () => {
  it('skips what is done, and a second run does nothing', async () => {
    const steps = [step('one', () => undefined), { ...step('two', () => undefined), done: () => true }]
    expect((await reported(steps)).lines).toStrictEqual(['one: started', 'one: done'])
    expect((await reported(steps)).lines).toStrictEqual([])
    expect(await pendingSteps(steps)).toStrictEqual([])
  })

  it('runs steps together that do not wait for each other', async () => {
    const { promise: bothRun, resolve } = Promise.withResolvers<void>()
    let running = 0
    const meet = async (): Promise<void> => {
      running += 1
      if (running === 2) resolve()
      await bothRun
    }
    const { lines, error } = await reported([
      step('first', () => undefined),
      step('left', meet, ['first']),
      step('right', meet, ['first']),
      step('last', () => undefined, ['left', 'right']),
    ])
    expect(error).toBeUndefined()
    expect(lines.slice(0, 2)).toStrictEqual(['first: started', 'first: done'])
    expect(lines.slice(-2)).toStrictEqual(['last: started', 'last: done'])
  })

  it('ends the others when one fails, and tells the cause', async () => {
    const cause = new CommandFailed('go ended with exit code 1', 'no such package', 1)
    const { lines, error } = await reported([
      step('slow', untilAborted),
      step('broken', () => Promise.reject(cause)),
      step('after', () => undefined, ['broken']),
    ])
    expect(error).toBeInstanceOf(SetupProblem)
    expect(error).toMatchObject({
      message: 'the step "broken" failed: go ended with exit code 1',
      tail: 'no such package',
      logFile: '/dev/null#broken',
    })
    expect(lines).toContain('slow: failed')
    expect(lines).not.toContain('after: started')
  })

  it('ends everything when the user gives up', async () => {
    const user = new AbortController()
    const reason = new Error('Ctrl-C')
    setTimeout(() => user.abort(reason), 10)
    const { error } = await reported([step('slow', untilAborted), step('other', untilAborted)], user.signal)
    expect(error).toBe(reason)
  })
})
