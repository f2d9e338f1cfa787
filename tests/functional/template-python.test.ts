import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'

import { type TestWorld, bootWorld, pythonWith } from '@torpor/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const directory = path.join(import.meta.dirname, 'python')
const run = promisify(execFile)

describe('template builds with the Python SDKs', () => {
  let world: TestWorld
  let python: string
  beforeAll(async () => {
    world = await bootWorld()
    python = await pythonWith(path.join(directory, 'requirements.txt'), world.artifactDirectory)
  })
  afterAll(async () => {
    await world?.close()
  })

  test.each(['e2b', 'novita_sandbox'])('told by %s from PyPI', async (sdk) => {
    const env = { ...process.env, ...world.env, TORPOR_TEST_SDK: sdk }
    const args = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', path.join(directory, 'test_template.py')]
    const result = await run(python, args, { env, timeout: 110_000 }).catch((error: { stdout: string; stderr: string }) => error)
    expect(result.stdout + result.stderr).toMatch(/^8 passed/m)
  })
})
