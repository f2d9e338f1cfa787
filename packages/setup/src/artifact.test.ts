import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { isPublished, publish, sweepUnfinished } from './artifact.ts'
import { contentHash, isGoInput } from './content-hash.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'torpor-artifact-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const options = () => ({ logFile: path.join(directory, 'log'), timeoutMilliseconds: 5000, signal: new AbortController().signal })

describe('publish', () => {
  it('shows an artifact only when it is complete', async () => {
    const artifact = path.join(directory, 'kind', 'hash')
    await publish(artifact, options(), async (output) => {
      mkdirSync(output)
      writeFileSync(path.join(output, 'file'), '')
      expect(isPublished(artifact)).toBe(false)
      await Promise.resolve()
    })
    expect(readdirSync(path.join(directory, 'kind'))).toStrictEqual(['hash'])
    expect(existsSync(path.join(artifact, 'file'))).toBe(true)
  })

  it('leaves nothing of a build that failed', async () => {
    const artifact = path.join(directory, 'kind', 'hash')
    const build = publish(artifact, options(), (output) => {
      mkdirSync(output)
      return Promise.reject(new Error('out of luck'))
    })
    await expect(build).rejects.toThrow('out of luck')
    expect(readdirSync(path.join(directory, 'kind'))).toStrictEqual([])
  })

  it('sweeps what a killed build left behind, and nothing else', async () => {
    mkdirSync(path.join(directory, '.building-x', 'deep'), { recursive: true })
    mkdirSync(path.join(directory, 'hash'))
    await sweepUnfinished(directory, options())
    expect(readdirSync(directory).sort()).toStrictEqual(['hash', 'log'])
    await sweepUnfinished(path.join(directory, 'nowhere'), options())
  })
})

describe('contentHash', () => {
  const write = (file: string, content: string): void => {
    mkdirSync(path.dirname(path.join(directory, file)), { recursive: true })
    writeFileSync(path.join(directory, file), content)
  }
  const hash = (): string | undefined => contentHash(directory, isGoInput)

  it('follows what is built and nothing else', () => {
    expect(hash()).toBeUndefined()
    write('main.go', 'package main')
    const first = hash()
    expect(first).toMatch(/^[0-9a-f]{20}$/)
    write('main_test.go', 'package main')
    write('README.md', 'words')
    write('testdata/x.go', 'package x')
    write('test/inside.go', 'package main')
    expect(hash()).toBe(first)
  })

  it.each(['main.go', 'go.mod', 'go.sum', 'build.sh', 'cmd/tool/tool.c', 'internal/a/a.go', 'edits/added/a.txt'])(
    'changes with %s',
    (file) => {
      write('other.go', 'package main')
      write(file, 'one')
      const first = hash()
      write(file, 'two')
      expect(hash()).not.toBe(first)
    },
  )

  it('tells apart names, contents and executable files', () => {
    write('a.go', 'bc')
    const first = hash()
    rmSync(path.join(directory, 'a.go'))
    write('ab.go', 'c')
    const second = hash()
    chmodSync(path.join(directory, 'ab.go'), 0o755)
    expect(new Set([first, second, hash()]).size).toBe(3)
  })
})
