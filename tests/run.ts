/**
 * `npm test`: every check and every suite, one after the other; then what failed, each with its reason, and the plain
 * closing line `N passed, N failed`. Names as arguments choose (`node tests/run.ts lint agent engine`); without, all run.
 */
import { execFileSync } from 'node:child_process'
import path from 'node:path'

import { loadConfig } from '@torpor/server/config'
import { locateArtifacts } from '@torpor/setup'
import { xfsMaker } from '@torpor/testkit'

import { goSuite } from './suites/go.ts'
import { interpreterSuite } from './suites/interpreter.ts'
import { bin, check, failure, root, type Outcome, type Suite } from './suites/suite.ts'
import { vitestSuite } from './suites/vitest.ts'

/** The engine's end-to-end tests run the build that this clone's set-up made; vet and tests see the runtime with our edits. */
async function engineEnv(): Promise<Readonly<Record<string, string>>> {
  await xfsMaker()
  const modfile = execFileSync('sh', [path.join(root, 'engine', 'modfile.sh')], { encoding: 'utf8' }).trim()
  const flags = [process.env['GOFLAGS'] ?? '', `-modfile=${modfile}`].join(' ').trim()
  return { GOFLAGS: flags, TORPOR_ENGINE_OUT: locateArtifacts(loadConfig().artifactDirectory, root).engineDir }
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

/** A suite that cannot even be run is a failure of it; the others have their turn all the same. */
async function outcomeOf(suite: Suite): Promise<Outcome> {
  try {
    return await suite.run()
  } catch (error) {
    return { passed: 0, failures: [failure('it could not be run', error instanceof Error ? error.message : String(error))] }
  }
}

const chosen = process.argv.slice(2)
const failures: string[] = []
let passed = 0
for (const suite of suites.filter(({ name }) => chosen.length === 0 || chosen.some((word) => name.includes(word)))) {
  const started = Date.now()
  const outcome = await outcomeOf(suite)
  passed += outcome.passed
  failures.push(...outcome.failures.map((text) => `${suite.name}: ${text}`))
  const seconds = ((Date.now() - started) / 1000).toFixed(1)
  process.stdout.write(`== ${suite.name}: ${outcome.passed} passed, ${outcome.failures.length} failed (${seconds} s)\n`)
}
if (failures.length > 0) process.stdout.write(`\nFailed:\n${failures.join('\n')}\n\n`)
process.stdout.write(`${passed} passed, ${failures.length} failed\n`)
process.exitCode = failures.length === 0 && passed > 0 ? 0 : 1
