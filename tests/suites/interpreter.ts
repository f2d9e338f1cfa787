/** The interpreter's tests and its linter, with the packages of its lock. */
import { spawnSync } from 'node:child_process'
import path from 'node:path'

import { loadConfig } from '@torpor/server/config'
import { pythonWith } from '@torpor/testkit'

import { command, failure, root, type Outcome, type Suite } from './suite.ts'

const directory = path.join(root, 'interpreter')

export const interpreterSuite: Suite = {
  name: 'pytest interpreter',
  run: async () => {
    const python = await pythonWith(path.join(directory, 'requirements-dev.txt'), loadConfig().artifactDirectory)
    const kernel = path.join(directory, 'kernels', 'javascript')
    const install = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error']
    const tidy = [['check', '.'] as const, ['format', '--check', '.'] as const].every((args) =>
      command(python, ['-m', 'ruff', ...args], directory),
    )
    if (!command('npm', install, kernel) || !tidy) return { passed: 0, failures: [failure('ruff, or the packages of the kernel')] }
    // The kernel is run by the Node that runs this.
    const env = { ...process.env, PATH: `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}` }
    const { stdout, status } = spawnSync(python, ['-m', 'pytest', '-rfE'], { cwd: directory, env, encoding: 'utf8', maxBuffer: 2 ** 28 })
    process.stdout.write(stdout)
    return readPytestOutput(stdout, status === 0)
  },
}

/** @param ended - whether pytest ended well: without a failed test, a bad end is a failure itself. */
export function readPytestOutput(output: string, ended: boolean): Outcome {
  const failures = [...output.matchAll(/^(?:FAILED|ERROR) (.+)$/gm)].map(([, line]) => failure(line ?? ''))
  if (failures.length === 0 && !ended) failures.push(failure('pytest', output))
  return { passed: Number(/(\d+) passed/.exec(output)?.[1] ?? 0), failures }
}
