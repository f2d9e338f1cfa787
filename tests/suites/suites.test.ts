import path from 'node:path'

import { describe, expect, it } from 'vitest'

import { readGoEvents } from './go.ts'
import { readPytestOutput } from './interpreter.ts'
import { failure, root } from './suite.ts'
import { readVitestReport } from './vitest.ts'

describe('what npm test says in the end', () => {
  it('a failure shows the first lines of what was seen', () => {
    expect(failure('name', 'one\n\ntwo\n')).toBe('name\n    one\n    two')
    const long = failure('name', Array.from({ length: 40 }, (_, line) => `line ${line}`).join('\n'))
    expect(long.split('\n')).toHaveLength(18)
    expect(long).toMatch(/ {4}…$/)
  })

  it('vitest: a failed test is named with its file and its reason', () => {
    const file = { name: path.join(root, 'tests/a.test.ts'), status: 'failed', message: '' }
    const tests = [
      { fullName: 'P1 works', status: 'passed', failureMessages: [] },
      { fullName: 'P2 works', status: 'failed', failureMessages: ['AssertionError: expected 1 to be 2'] },
    ]
    const text = JSON.stringify({ success: false, numPassedTests: 1, testResults: [{ ...file, assertionResults: tests }] })
    expect(readVitestReport(text, false)).toEqual({
      passed: 1,
      failures: ['tests/a.test.ts: P2 works\n    AssertionError: expected 1 to be 2'],
    })
  })

  it('vitest: a file that could not be loaded, a run without report and a bad end are failures', () => {
    const file = { name: path.join(root, 'tests/a.test.ts'), assertionResults: [] }
    const unloaded = { success: false, numPassedTests: 0, testResults: [{ ...file, status: 'failed', message: 'cannot load' }] }
    expect(readVitestReport(JSON.stringify(unloaded), false).failures).toEqual(['tests/a.test.ts\n    cannot load'])
    expect(readVitestReport('', false).failures).toHaveLength(1)
    const passed = { success: true, numPassedTests: 1, testResults: [{ ...file, status: 'passed' }] }
    expect(readVitestReport(JSON.stringify(passed), false).failures).toHaveLength(1)
    expect(readVitestReport(JSON.stringify(passed), true).failures).toEqual([])
  })

  it('go: a failed test is named with its package and its own output; a build that failed is a failure', () => {
    const lines = [
      { Action: 'output', Package: 'p', Test: 'TestA', Output: 'a.go:1: wrong\n' },
      { Action: 'output', Package: 'p', Test: 'TestB', Output: 'b.go:1: fine\n' },
      { Action: 'fail', Package: 'p', Test: 'TestA' },
      { Action: 'pass', Package: 'p', Test: 'TestB' },
    ]
    const text = lines.map((line) => JSON.stringify(line)).join('\n')
    expect(readGoEvents(text, false)).toEqual({ passed: 1, failures: ['p TestA\n    a.go:1: wrong'] })
    const build = JSON.stringify({ Action: 'build-output', Output: 'cannot compile\n' })
    expect(readGoEvents(build, false).failures).toEqual(['go test\n    cannot compile'])
  })

  it('pytest: a failed test and an error are named; a bad end is a failure', () => {
    const output = 'FAILED tests/test_a.py::test_one - assert 1 == 2\nERROR tests/test_b.py\n1 failed, 4 passed, 1 error in 2.0s\n'
    const failures = ['tests/test_a.py::test_one - assert 1 == 2', 'tests/test_b.py']
    expect(readPytestOutput(output, false)).toEqual({ passed: 4, failures })
    expect(readPytestOutput('no tests ran', false).failures).toEqual(['pytest\n    no tests ran'])
  })
})
