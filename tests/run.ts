/**
 * `npm test`: every check and every suite, one after the other, and the plain closing line `N passed, N failed`.
 * Names as arguments choose (`node tests/run.ts lint agent engine`); without, all run.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { loadConfig } from '@torpor/server/config'
import { locateArtifacts } from '@torpor/setup'
import { pythonWith, xfsMaker } from '@torpor/testkit'
import { z } from 'zod'

interface Count {
  readonly passed: number
  readonly failed: number
}

interface Suite {
  readonly name: string
  run(): Count | Promise<Count>
}

const root = path.join(import.meta.dirname, '..')
const bin = (name: string): string => path.join(root, 'node_modules', '.bin', name)

/** Output goes straight to the terminal; only the exit code is looked at. */
function command(program: string, args: readonly string[], directory = root, env = process.env): boolean {
  const { status, error } = spawnSync(program, args, { cwd: directory, env, stdio: ['ignore', 'inherit', 'inherit'] })
  if (error) process.stderr.write(`${program}: ${error.message}\n`)
  return status === 0
}

const check = (name: string, program: string, args: readonly string[]): Suite => ({
  name,
  run: () => (command(program, args) ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 }),
})

/** Go's own machine-readable lines: one object per event. */
function goSuite(name: string, more: () => Promise<Readonly<Record<string, string>>> = async () => ({})): Suite {
  const directory = path.join(root, name)
  return {
    name: `go ${name}`,
    run: async () => {
      const env = { ...process.env, ...(await more()) }
      if (!command('go', ['vet', './...'], directory, env)) return { passed: 0, failed: 1 }
      const result = spawnSync('go', ['test', '-json', './...'], {
        cwd: directory,
        env,
        encoding: 'utf8',
        maxBuffer: 2 ** 28,
      })
      const event = z.object({ Action: z.string(), Test: z.string().optional(), Output: z.string().optional() })
      const events = result.stdout
        .split('\n')
        .filter((line) => line.startsWith('{'))
        .map((line) => event.parse(JSON.parse(line)))
      const count = (action: string): number => events.filter((entry) => entry.Test !== undefined && entry.Action === action).length
      const failed = Math.max(count('fail'), result.status === 0 ? 0 : 1)
      if (failed > 0) process.stdout.write(events.map((entry) => entry.Output ?? '').join('') + result.stderr)
      return { passed: count('pass'), failed }
    },
  }
}

/** The engine's end-to-end tests run the build that this clone's set-up made; vet and tests see the runtime with our edits. */
async function engineEnv(): Promise<Readonly<Record<string, string>>> {
  await xfsMaker()
  const modfile = execFileSync('sh', [path.join(root, 'engine', 'modfile.sh')], { encoding: 'utf8' }).trim()
  const flags = [process.env['GOFLAGS'] ?? '', `-modfile=${modfile}`].join(' ').trim()
  return { GOFLAGS: flags, TORPOR_ENGINE_OUT: locateArtifacts(loadConfig().artifactDirectory, root).engineDir }
}

/** The interpreter's tests and its linter, with the packages of its lock. */
const interpreterSuite: Suite = {
  name: 'pytest interpreter',
  run: async () => {
    const directory = path.join(root, 'interpreter')
    const python = await pythonWith(path.join(directory, 'requirements-dev.txt'), loadConfig().artifactDirectory)
    const kernel = path.join(directory, 'kernels', 'javascript')
    const install = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel', 'error']
    const tidy = [['check', '.'] as const, ['format', '--check', '.'] as const].every((args) =>
      command(python, ['-m', 'ruff', ...args], directory),
    )
    if (!command('npm', install, kernel) || !tidy) return { passed: 0, failed: 1 }
    // The kernel is run by the Node that runs this.
    const env = { ...process.env, PATH: `${path.dirname(process.execPath)}:${process.env['PATH'] ?? ''}` }
    const { stdout } = spawnSync(python, ['-m', 'pytest'], { cwd: directory, env, encoding: 'utf8', maxBuffer: 2 ** 28 })
    process.stdout.write(stdout)
    const count = (word: string): number => Number(new RegExp(`(\\d+) ${word}`).exec(stdout)?.[1] ?? 0)
    const passed = count('passed')
    return { passed, failed: count('failed') + count('error') || (passed > 0 ? 0 : 1) }
  },
}

function vitestSuite(project: string): Suite {
  return {
    name: project,
    run: () => {
      const directory = mkdtempSync(path.join(tmpdir(), 'torpor-tests-'))
      try {
        const file = path.join(directory, 'results.json')
        command(process.execPath, [
          bin('vitest'),
          'run',
          '--project',
          project,
          '--reporter=default',
          '--reporter=json',
          `--outputFile.json=${file}`,
        ])
        return readCounts(file)
      } finally {
        rmSync(directory, { recursive: true, force: true })
      }
    },
  }
}

/** A file that could not even be loaded counts as one failure, and so does a run without results. */
function readCounts(file: string): Count {
  const results = z.object({
    success: z.boolean(),
    numPassedTests: z.number(),
    numFailedTests: z.number(),
    numFailedTestSuites: z.number(),
  })
  try {
    const { success, numPassedTests, numFailedTests } = results.parse(JSON.parse(readFileSync(file, 'utf8')))
    return { passed: numPassedTests, failed: success ? 0 : Math.max(numFailedTests, 1) }
  } catch {
    return { passed: 0, failed: 1 }
  }
}

const node = process.execPath
const suites: readonly Suite[] = [
  check('types', node, [bin('tsc'), '--noEmit']),
  check('lint', node, [bin('oxlint'), '--type-aware', '--deny-warnings']),
  check('format', node, [bin('oxfmt'), '--check']),
  check('doors', node, [path.join(root, 'tests', 'doors', 'check.ts')]),
  check('unused', node, [bin('knip')]),
  check('set-up', node, [path.join(root, 'tests', 'set-up.ts')]),
  goSuite('agent'),
  goSuite('oci'),
  goSuite('engine', engineEnv),
  interpreterSuite,
  vitestSuite('unit'),
  vitestSuite('engine'),
  vitestSuite('copied'),
]

const chosen = process.argv.slice(2)
const total = { passed: 0, failed: 0 }
for (const suite of suites.filter(({ name }) => chosen.length === 0 || chosen.some((word) => name.includes(word)))) {
  const started = Date.now()
  const { passed, failed } = await suite.run()
  total.passed += passed
  total.failed += failed
  process.stdout.write(`== ${suite.name}: ${passed} passed, ${failed} failed (${((Date.now() - started) / 1000).toFixed(1)} s)\n`)
}
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`)
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1
