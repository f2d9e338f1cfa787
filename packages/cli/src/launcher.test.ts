import { execFile } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import process from 'node:process'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const launcher = path.resolve(import.meta.dirname, '../../../torpor')
let directory: string
let clone: string

/** A clone whose CLI prints what it was given, with everything prepared. */
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'torpor-launcher-'))
  clone = path.join(directory, "it's a clone")
  mkdirSync(path.join(clone, 'packages/cli/src'), { recursive: true })
  mkdirSync(path.join(clone, 'node_modules'))
  mkdirSync(path.join(directory, 'bin'))
  copyFileSync(launcher, path.join(clone, 'torpor'))
  writeFileSync(path.join(clone, 'packages/cli/src/main.ts'), 'console.log(JSON.stringify(process.argv.slice(2)))')
  writeFileSync(path.join(clone, 'package-lock.json'), '{}')
  writeFileSync(path.join(clone, 'node_modules/.torpor-lock'), '{}')
  symlinkSync(process.execPath, path.join(directory, 'bin/node'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

interface Ending {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

function launch(file: string, args: readonly string[], cwd = directory): Promise<Ending> {
  const env = { PATH: `${path.join(directory, 'bin')}:/usr/bin:/bin`, TORPOR_ARTIFACT_DIR: path.join(directory, 'artifacts') }
  return new Promise((resolve) => {
    execFile(file, args, { cwd, env, timeout: 20_000 }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code ?? -1) : 0, stdout, stderr })
    })
  })
}

/** Puts a program into the PATH, before the system's. */
function fake(name: string, script: string): void {
  const file = path.join(directory, 'bin', name)
  rmSync(file, { force: true })
  writeFileSync(file, `#!/bin/sh\n${script}\n`)
  chmodSync(file, 0o755)
}

describe('the launcher', () => {
  it('hands every argument over as it is, from any directory and through links', async () => {
    symlinkSync(path.join(clone, 'torpor'), path.join(directory, 'link'))
    symlinkSync('link', path.join(directory, 'link to link'))
    const args = ['status', 'a b', '$HOME', '', '*', "it's"]
    for (const file of [path.join(clone, 'torpor'), './link', path.join(directory, 'link to link')]) {
      expect(await launch(file, args)).toStrictEqual({ code: 0, stdout: `${JSON.stringify(args)}\n`, stderr: '' })
    }
    expect((await launch('sh', ['torpor', 'status'], clone)).stdout).toBe('["status"]\n')
  })

  it('is another program under its second name', async () => {
    writeFileSync(path.join(clone, 'packages/cli/src/novita.ts'), 'console.log("novita", process.argv.slice(2).join(" "))')
    symlinkSync('torpor', path.join(clone, 'novita-sandbox-cli'))
    symlinkSync(path.join(clone, 'novita-sandbox-cli'), path.join(directory, 'novita-sandbox-cli'))
    for (const place of [clone, directory]) {
      expect((await launch(path.join(place, 'novita-sandbox-cli'), ['sandbox', 'list'])).stdout).toBe('novita sandbox list\n')
    }
  })

  it('says nothing and installs nothing when everything is there', async () => {
    fake('npm', 'echo npm was called; exit 1')
    expect(await launch(path.join(clone, 'torpor'), ['env'])).toMatchObject({ code: 0, stderr: '' })
  })

  it('installs the dependencies again when the lock file changed, once', async () => {
    fake('npm', 'echo "$*" >>"$OLDPWD/npm-calls"; mkdir -p node_modules')
    writeFileSync(path.join(clone, 'package-lock.json'), '{"changed":true}')
    const first = await launch(path.join(clone, 'torpor'), ['env'])
    expect(first).toMatchObject({ code: 0, stdout: '["env"]\n' })
    expect(first.stderr).toMatch(/^npm dependencies: started\nnpm dependencies: done in \d+ s\n$/)
    expect((await launch(path.join(clone, 'torpor'), ['env'])).stderr).toBe('')
    expect(readFileSync(path.join(directory, 'npm-calls'), 'utf8').trim().split('\n')).toHaveLength(1)
  })

  it('does not go on when they cannot be installed, and tries again the next time', async () => {
    fake('npm', 'echo the registry is down >&2; exit 1')
    writeFileSync(path.join(clone, 'package-lock.json'), '{"changed":true}')
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const { code, stdout, stderr } = await launch(path.join(clone, 'torpor'), ['env'])
      expect({ code, stdout }).toStrictEqual({ code: 1, stdout: '' })
      expect(stderr).toContain('  | the registry is down\ntorpor: npm dependencies failed\n  mend: ')
    }
  })

  it.each(['v20.20.2', 'v24.3.9', 'v18.0.0', 'nonsense'])('does not take Node %s', async (version) => {
    fake('node', `echo ${version}`)
    fake('npm', 'echo no such package >&2; exit 1')
    const { code, stderr } = await launch(path.join(clone, 'torpor'), ['env'])
    expect(code).toBe(1)
    expect(stderr).toContain('torpor: Node 24 failed\n  mend: ')
  })

  it('takes the Node of its own cache when the system has an old one', async () => {
    fake('node', 'echo v20.20.2')
    mkdirSync(path.join(directory, 'artifacts/node/24/bin'), { recursive: true })
    symlinkSync(process.execPath, path.join(directory, 'artifacts/node/24/bin/node'))
    expect(await launch(path.join(clone, 'torpor'), ['env'])).toStrictEqual({ code: 0, stdout: '["env"]\n', stderr: '' })
  })

  it('refuses a foreign architecture in one line', async () => {
    fake('uname', 'case $1 in -s) echo Linux ;; *) echo riscv64 ;; esac')
    writeFileSync(path.join(clone, 'package-lock.json'), '{"changed":true}')
    const { code, stderr } = await launch(path.join(clone, 'torpor'), ['up'])
    expect(code).toBe(1)
    expect(stderr).toBe('torpor: Torpor runs on Linux on x86_64 or aarch64, this is Linux on riscv64\n  mend: use such a machine\n')
  })

  it('becomes root for what needs it, passing settings on by name only', async () => {
    fake('id', 'echo 1000')
    fake('sudo', 'echo "sudo $*"')
    const { stdout } = await launch(path.join(clone, 'torpor'), ['up', '--detach'])
    expect(stdout).toBe(`sudo --preserve-env=TORPOR_ARTIFACT_DIR -- ${path.join(clone, 'torpor')} up --detach\n`)
    expect((await launch(path.join(clone, 'torpor'), ['env'])).stdout).toBe('["env"]\n')
  })
})
