import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'

import { type TestWorld, bootWorld, pythonWith } from '@torpor/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const directory = path.join(import.meta.dirname, 'python')
const run = promisify(execFile)

describe.each([
  { tier: 'frozen', warmMemory: '2048' },
  { tier: 'image', warmMemory: '0' },
])('P1–P3 with the Python SDKs, resumed from the $tier', ({ warmMemory }) => {
  let world: TestWorld
  let python: string
  beforeAll(async () => {
    world = await bootWorld({ TORPOR_WARM_MEMORY: warmMemory })
    python = await pythonWith(path.join(directory, 'requirements.txt'), world.artifactDirectory)
  })
  afterAll(async () => {
    await world?.close()
  })

  test.each(['e2b', 'novita_sandbox'])('the story, told by %s from PyPI', async (sdk) => {
    const env = { ...process.env, ...world.env, TORPOR_TEST_SDK: sdk }
    const args = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', path.join(directory, 'test_story.py')]
    const result = await run(python, args, { env, timeout: 110_000 }).catch((error: { stdout: string; stderr: string }) => error)
    expect(result.stdout + result.stderr).toMatch(/^6 passed/m)
  })

  test.each([
    ['e2b', '5 passed, 2 skipped'],
    ['novita_sandbox', '6 passed, 1 skipped'],
  ])('copies, sleep and metrics, as %s from PyPI asks for them', async (sdk, outcome) => {
    const env = { ...process.env, ...world.env, TORPOR_TEST_SDK: sdk }
    const args = ['-m', 'pytest', '-q', '-p', 'no:cacheprovider', path.join(directory, 'test_copies.py')]
    const result = await run(python, args, { env, timeout: 110_000 }).catch((error: { stdout: string; stderr: string }) => error)
    expect(result.stdout + result.stderr).toContain(`\n${outcome}`)
  })
})
