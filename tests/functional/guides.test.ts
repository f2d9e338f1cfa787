import { execFile } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { type TestWorld, bootWorld, pythonWith, sourceDirectory } from '@torpor/testkit'
import { Sandbox } from 'e2b'
import ts from 'typescript'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const directory = path.join(import.meta.dirname, 'guides', 'examples')
const examples = readdirSync(directory)

/** What an example prints when it does what its text says, by the beginning of its name. */
const promised: Readonly<Record<string, RegExp>> = {
  '000-0034': /Sandbox paused i\w+ true/,
  '000-0078': /Sandbox resumed i\w+/,
  '001-0045': /Sandbox resumed i\w+/,
  '001-0077': /exitCode: 0[^]*\.bashrc/,
  '002-0071': /hello from a paused sandbox\nState after read: running/,
  '002-0091': /Preview URL: https:\/\/3000-i\w+\.sbx\.localhost/,
  '003-0046': /Connected to the sandbox i\w+/,
  '004-0086': /name: 'code-interpreter-v1'[^]*envdVersion: '[\d.]+'/,
  '004-0112': /code-interpreter-v1/,
  '004-0223': /Sandbox resumed i\w+/,
  '004-0242': /resumed:? i\w+/i,
  '004-0403': /cpuCount: 2,[^]*cpuCount: 2,/,
  '004-0443': /cpu_count=2/,
  '004-0585': /exitCode: 0[^]*stdout: 'my_value\\n'/,
  '004-0604': /my_value/,
  '004-0633': /my_value/,
  '004-0648': /my_value/,
  '004-0674': /stdout: '123\\n'/,
  '004-0693': /123/,
  '004-0736': /Running sandbox template id: \w+/,
  '004-0800': /list running sandbox \(i\w+\) metadata: .*'?123/,
  '004-0992': /paginator\.hasNext: +false/,
  '004-1041': /list sandbox \(i\w+\)/,
  '004-1103': /got a running sandbox: i\w+/,
  '004-1147': /connected to sandbox: +i\w+/,
  '004-1218': /^https:\/\/3000-i\w+\./m,
  '004-1258': /Directory listing for[^]*\.bash_logout[^]*\.bashrc[^]*\.profile/,
  '004-1300': /Directory listing for[^]*\.bash_logout[^]*\.bashrc[^]*\.profile/,
  '004-1517': /Sandbox resumed i\w+/,
  '004-1566': /exitCode: 0/,
  '004-1705': /Sandbox is running false/,
  '004-1726': /is running:? False/,
}

/** What no published SDK can run (protocol.md 6.1), with what it says; copies.test.ts and waking.test.ts have the nearest calls. */
const impossible: Readonly<Record<string, RegExp>> = {
  '003-0105': /betaCreate is not a function/,
  '003-0113': /betaCreate is not a function/,
  '004-1634': /map is not a function/,
}

/** They ask for a bucket at Amazon: object-storage.test.ts mounts one of a server outside with the same commands. */
const elsewhere: ReadonlySet<string> = new Set(['004-1400', '004-1443'])

/** They take whichever sandbox they find first: one of another example may be gone a moment later. */
const alone: ReadonlySet<string> = new Set(['004-1147', '004-1171'])

/** What an example leaves open. */
const given: Readonly<Record<string, string>> = {
  '003-0098': 'const { sandboxId } = await Sandbox.create()\n',
}

const numberOf = (name: string): string => name.slice(0, 8)

describe('the examples of the guides', { timeout: 180_000 }, () => {
  let world: TestWorld
  let python: string
  let built: string

  beforeAll(async () => {
    world = await bootWorld({ TORPOR_TEMPLATES: 'code-interpreter-v1', TORPOR_MEMORY_OVERCOMMIT: '20' })
    python = await pythonWith(path.join(import.meta.dirname, 'python', 'requirements.txt'), world.artifactDirectory)
    await world.templateReady('code-interpreter-v1', 1_500_000)
    // Below the packages, where a program of this project would find them.
    await mkdir(path.join(sourceDirectory, 'node_modules', '.cache'), { recursive: true })
    built = await mkdtemp(path.join(sourceDirectory, 'node_modules', '.cache', 'guides-'))
    // Some examples look for a sandbox that runs.
    await Sandbox.create('base', { timeoutMs: 3_600_000, apiUrl: world.url, apiKey: world.apiKey })
  }, 1_800_000)
  afterAll(async () => {
    await world?.close()
    await rm(built, { recursive: true, force: true })
  })

  /** As a bundler or tsx would run it: types are taken out, and what is imported for them. */
  async function command(name: string): Promise<[program: string, file: string]> {
    if (name.endsWith('.py')) return [python, path.join(directory, name)]
    const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ESNext }
    const source = (given[numberOf(name)] ?? '') + readFileSync(path.join(directory, name), 'utf8')
    const file = path.join(built, name.replace(/\.js$/, '.mjs'))
    await writeFile(file, ts.transpileModule(source, { compilerOptions: options }).outputText)
    return [process.execPath, file]
  }

  async function outcome(name: string): Promise<{ code: number; output: string }> {
    const [program, file] = await command(name)
    const env = { ...process.env, ...world.env, NO_COLOR: '1', FORCE_COLOR: '0' }
    return new Promise((resolve) => {
      execFile(program, [file], { env, timeout: 170_000 }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : 1, output: stdout + stderr })
      })
    })
  }

  /** What must come of an example. */
  function promise(name: string): { code: number; output: unknown } {
    const fault = impossible[numberOf(name)]
    return { code: fault ? 1 : 0, output: expect.stringMatching(fault ?? promised[numberOf(name)] ?? /^/) }
  }

  const here = examples.filter((name) => !elsewhere.has(numberOf(name)))
  describe('side by side', { concurrent: true }, () => {
    test.each(here.filter((name) => !alone.has(numberOf(name))))('%s', async (name) => {
      expect(await outcome(name)).toEqual(promise(name))
    })
  })
  describe('one after the other', () => {
    test.each(here.filter((name) => alone.has(numberOf(name))))('%s', async (name) => {
      expect(await outcome(name)).toEqual(promise(name))
    })
  })

  test('every example that is expected to do something is there', () => {
    const numbers = new Set(examples.map(numberOf))
    const named = [...Object.keys(promised), ...Object.keys(impossible), ...Object.keys(given), ...elsewhere, ...alone]
    expect(named.filter((number) => !numbers.has(number))).toEqual([])
    expect(examples).toHaveLength(79)
  })
})
