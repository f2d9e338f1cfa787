import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { type MachineFacts, buildBytes, cgroupSupport, freeBytes, machineProblem } from './machine-check.ts'

const good: MachineFacts = { platform: 'linux', architecture: 'x64', userId: 0, freeBytes: buildBytes, missingControllers: [] }

describe('machineProblem', () => {
  it('finds nothing wrong with a good machine', () => {
    expect(machineProblem(good, true)).toBeUndefined()
    expect(machineProblem({ ...good, architecture: 'arm64' }, true)).toBeUndefined()
  })

  it.each<[string, Partial<MachineFacts>]>([
    ['Linux', { platform: 'darwin' }],
    ['x86_64', { architecture: 'riscv64' }],
    ['root', { userId: 1000 }],
    ['cgroup controllers', { missingControllers: ['memory'] }],
    ['disk space', { freeBytes: buildBytes - 1 }],
  ])('names what is wrong in one line, with what mends it: %s', (words, facts) => {
    const problem = machineProblem({ ...good, ...facts }, true)
    expect(problem?.message).toContain(words)
    expect(problem?.message).not.toContain('\n')
    expect(problem?.mend).toBeTruthy()
  })

  it('asks for no space when nothing has to be built', () => {
    expect(machineProblem({ ...good, freeBytes: 0 }, false)).toBeUndefined()
  })
})

describe('cgroupSupport', () => {
  let root: string
  beforeEach(() => {
    root = mkdtempSync(path.join(tmpdir(), 'torpor-cgroup-'))
  })
  afterEach(() => rmSync(root, { recursive: true, force: true }))

  it('reads the unified hierarchy', () => {
    writeFileSync(path.join(root, 'cgroup.controllers'), 'cpuset cpu io memory\n')
    expect(cgroupSupport(root)).toStrictEqual({ version: 'v2', missing: ['pids'] })
  })

  it('reads separate hierarchies', () => {
    for (const name of ['cpu', 'memory']) {
      mkdirSync(path.join(root, name))
      writeFileSync(path.join(root, name, 'cgroup.procs'), '')
    }
    expect(cgroupSupport(root)).toStrictEqual({ version: 'v1', missing: ['pids'] })
  })

  it('tells when there is none', () => {
    expect(cgroupSupport(root)).toStrictEqual({ version: 'none', missing: ['cpu', 'memory', 'pids'] })
  })
})

describe('freeBytes', () => {
  it('looks at the file system of a directory that does not exist yet', () => {
    expect(freeBytes('/proc/../tmp/torpor/not/there')).toBeGreaterThan(0)
  })
})
