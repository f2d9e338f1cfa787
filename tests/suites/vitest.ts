/** A vitest project, read from vitest's own JSON report. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { z } from 'zod'

import { bin, command, failure, root, type Outcome, type Suite } from './suite.ts'

const report = z.object({
  success: z.boolean(),
  numPassedTests: z.number(),
  testResults: z.array(
    z.object({
      name: z.string(),
      status: z.string(),
      message: z.string().optional(),
      assertionResults: z.array(z.object({ fullName: z.string(), status: z.string(), failureMessages: z.array(z.string()).nullish() })),
    }),
  ),
})
type FileResult = z.infer<typeof report>['testResults'][number]

export function vitestSuite(project: string): Suite {
  return {
    name: project,
    run: () => {
      const directory = mkdtempSync(path.join(tmpdir(), 'torpor-tests-'))
      try {
        const file = path.join(directory, 'results.json')
        const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`]
        const ended = command(process.execPath, [bin('vitest'), 'run', '--project', project, ...reporters])
        return readVitestReport(readReport(file), ended)
      } finally {
        rmSync(directory, { recursive: true, force: true })
      }
    },
  }
}

function readReport(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/**
 * A run without results is a failure, and so is one that ended badly with all tests passed.
 * @param ended - whether vitest ended well
 */
export function readVitestReport(text: string, ended: boolean): Outcome {
  if (text === '') return { passed: 0, failures: [failure('vitest left no report')] }
  const { success, numPassedTests, testResults } = report.parse(JSON.parse(text))
  const failures = testResults.flatMap(failuresOf)
  if (failures.length === 0 && !(success && ended))
    failures.push(failure('vitest ended badly, though no test failed', 'its output says why'))
  return { passed: numPassedTests, failures }
}

/** A file whose tests passed can fail all the same, in a hook or when it is loaded: it counts once. */
function failuresOf(result: FileResult): string[] {
  const file = path.relative(root, result.name)
  const failed = result.assertionResults.filter(({ status }) => status === 'failed')
  if (failed.length === 0 && result.status === 'failed') return [failure(file, result.message)]
  return failed.map(({ fullName, failureMessages }) => failure(`${file}: ${fullName}`, (failureMessages ?? []).join('\n')))
}
