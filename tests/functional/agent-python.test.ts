import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'

import { type TestWorld, bootWorld, pythonWith } from '@torpor/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const directory = path.join(import.meta.dirname, 'python')
const run = promisify(execFile)

describe.each(['e2b', 'novita_sandbox'])('with %s from PyPI', (sdk) => {
  let world: TestWorld
  let python: string
  beforeAll(async () => {
    world = await bootWorld({ TORPOR_WARM_MEMORY: '0' })
    python = await pythonWith(path.join(directory, 'requirements.txt'), world.artifactDirectory)
  })
  afterAll(async () => {
    await world?.close()
  })

  test.each([
    ['commands, terminals, files and watchers', 'test_agent.py', 7],
    ['the same without waiting', 'test_async.py', 1],
    ['git', 'test_git.py', 3],
  ])('%s', async (_what, file, passed) => {
    const env = { ...process.env, ...world.env, TORPOR_TEST_SDK: sdk }
    const args = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', path.join(directory, file)]
    const result = await run(python, args, { env, timeout: 110_000 }).catch((error: { stdout: string; stderr: string }) => error)
    expect(result.stdout + result.stderr).toMatch(new RegExp(`^${passed} passed in`, 'm'))
  })
})
