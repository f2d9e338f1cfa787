import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { markOf } from './artifact-use.ts'
import type { Artifacts } from './artifacts.ts'
import { prepareMachine } from './prepare-machine.ts'
import { plainReporter } from './reporter.ts'
import { missingRequirements } from './requirements.ts'

const searchPath = (process.env['PATH'] ?? '').split(':')
/** What of it can be compared: no functions. */
const placesOf = (artifacts: Artifacts): unknown => JSON.parse(JSON.stringify(artifacts))

// A set-up runs on root's machine only, and must not install packages just for this test.
const canPrepare =
  process.geteuid?.() === 0 && (await missingRequirements({ building: true, localNames: false, volume: false }, searchPath)).length === 0

let directory: string
let lines: string[]

/** A clone whose builds note that they ran. */
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'torpor-setup-'))
  lines = []
  for (const folder of ['engine', 'agent', 'oci', 'templates/base'])
    recipe(folder, `sleep 0.1; echo ${folder} >>"${directory}/runs"; mkdir -p "$1"`)
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

function recipe(folder: string, script: string): void {
  const file = path.join(directory, folder, 'build.sh')
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, `set -e\n${script}\n`)
  chmodSync(file, 0o755)
}

function prepare(signal = new AbortController().signal): Promise<Artifacts> {
  const places = {
    artifactDirectory: path.join(directory, 'artifacts'),
    dataDirectory: path.join(directory, 'data'),
    sourceDirectory: directory,
    searchPath,
  }
  return prepareMachine(places, plainReporter({ write: (text) => lines.push(text.trimEnd()) }), signal)
}

const runs = (): string[] => readFileSync(path.join(directory, 'runs'), 'utf8').trim().split('\n').sort()
const listed = (folder: string): string[] => readdirSync(path.join(directory, 'artifacts', folder))

describe.runIf(canPrepare)('prepareMachine', () => {
  it('builds everything once, under the names of its content', async () => {
    const artifacts = await prepare()
    expect(listed('engines')).toStrictEqual([artifacts.engineVersion])
    expect(listed('agents')).toStrictEqual([artifacts.agentHash])
    expect(listed('rootfs')).toStrictEqual([artifacts.rootfs.name])
    expect(artifacts.rootfs.directory.endsWith(`rootfs/${artifacts.rootfs.name}`)).toBe(true)
    lines = []
    expect(placesOf(await prepare())).toStrictEqual(placesOf(artifacts))
    expect(lines).toStrictEqual([])
    expect(runs()).toStrictEqual(['agent', 'engine', 'oci', 'templates/base'])
  })

  it('builds again only what changed, and keeps the old', async () => {
    const before = await prepare()
    recipe('agent', `mkdir "$1"`)
    const after = await prepare()
    expect(after).toMatchObject({ engineVersion: before.engineVersion, rootfs: before.rootfs })
    expect(listed('agents').sort()).toStrictEqual([before.agentHash, after.agentHash].sort())
  })

  it('removes versions of long ago after a successful set-up; a start without one keeps what it uses', async () => {
    const before = await prepare()
    const long = new Date(Date.now() - 20 * 24 * 3_600_000)
    const age = (...artifacts: string[]): void => artifacts.forEach((artifact) => utimesSync(markOf(artifact), long, long))
    age(before.agentDir, before.engineDir)
    await prepare()
    recipe('agent', `mkdir "$1"`)
    const after = await prepare()
    expect(listed('agents').sort()).toStrictEqual([before.agentHash, after.agentHash].sort())
    age(before.agentDir, before.engineDir)
    recipe('oci', `mkdir "$1"`)
    lines = []
    await prepare()
    expect([listed('agents'), listed('engines')]).toStrictEqual([[after.agentHash], [after.engineVersion]])
    expect(lines).toContainEqual(expect.stringContaining(`removed agents/${before.agentHash}, not used for 20 days`))
  })

  it('lets two set-ups at once do the work once', async () => {
    const [first, second] = await Promise.all([prepare(), prepare()])
    expect(placesOf(first)).toStrictEqual(placesOf(second))
    expect(runs()).toStrictEqual(['agent', 'engine', 'oci', 'templates/base'])
  })

  it('leaves nothing half done when a build fails, and goes on from there', async () => {
    recipe('engine', 'mkdir "$1"; touch "$1/half"; echo no compiler >&2; exit 3')
    await expect(prepare()).rejects.toMatchObject({
      message: expect.stringMatching(/^the step "torpor-engine" failed: .*engine\/build\.sh ended with exit code 3$/),
      tail: expect.stringContaining('no compiler'),
    })
    expect(listed('engines')).toStrictEqual([])
    recipe('engine', 'mkdir "$1"')
    const artifacts = await prepare()
    expect(listed('engines')).toStrictEqual([artifacts.engineVersion])
  })

  it('leaves nothing half done when the user gives up', async () => {
    recipe('templates/base', 'mkdir "$1"; sleep 30')
    const user = new AbortController()
    setTimeout(() => user.abort(new Error('Ctrl-C')), 300)
    await expect(prepare(user.signal)).rejects.toThrow('Ctrl-C')
    expect(listed('rootfs')).toStrictEqual([])
  })
})
