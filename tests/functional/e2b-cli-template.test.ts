import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { type TestWorld, bootWorld, sourceDirectory } from '@torpor/testkit'
import { Sandbox } from 'e2b'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { z } from 'zod'

const run = promisify(execFile)
let world: TestWorld
let directory: string
beforeAll(async () => {
  world = await bootWorld({ TORPOR_WARM_POOL: '0' })
  Object.assign(process.env, world.env)
  directory = await mkdtemp(path.join(tmpdir(), 'torpor-e2b-cli-'))
  await writeFile(path.join(directory, 'e2b.Dockerfile'), 'FROM e2bdev/base\nCOPY said.txt /srv/\nRUN sudo chmod 644 /srv/said.txt\n')
  await writeFile(path.join(directory, 'said.txt'), 'copied')
})
afterAll(async () => {
  await world?.close()
  await rm(directory, { recursive: true, force: true })
})

/** One call of `e2b template …` as it comes from npm. @throws Error with its output when it does not exit with 0. */
async function cli(...args: string[]): Promise<string> {
  const env = { ...process.env, ...world.env, FORCE_COLOR: '0', NO_COLOR: '1' }
  const program = path.join(sourceDirectory, 'node_modules', '.bin', 'e2b')
  return (await run(program, ['template', ...args], { cwd: directory, env, timeout: 100_000 })).stdout
}

const listed = z.array(z.looseObject({ templateID: z.string(), public: z.boolean(), names: z.array(z.string()), memoryMB: z.number() }))
const made = async () => listed.parse(JSON.parse(await cli('list', '--format', 'json'))).find(({ names }) => names.includes('local/made'))

test('@e2b/cli 2.19: template create, list, publish, unpublish and delete', { timeout: 200_000 }, async () => {
  expect(await cli('create', 'made', '--memory-mb', '512')).toContain('Building sandbox template made finished')
  const sandbox = await Sandbox.create('made')
  expect(await sandbox.files.read('/srv/said.txt')).toBe('copied')
  await sandbox.kill()
  expect(await made()).toMatchObject({ public: false, memoryMB: 512 })
  expect(await cli('list')).toMatch(/Private +\S+ +made +2 +512/)
  expect(await cli('publish', '-y', 'made')).toContain('Published as: local/made')
  expect(await made()).toMatchObject({ public: true })
  await cli('unpublish', '-y', 'made')
  expect(await made()).toMatchObject({ public: false })
  await cli('delete', '-y', 'made')
  expect(await made()).toBeUndefined()
  await expect(cli('publish', '-y', 'made')).rejects.toThrow('404')
})
