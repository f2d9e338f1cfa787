import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { archiveDirectory, compressionOf, matches, packCommand, packed, unpackCommand } from './archives.ts'

let directory: string
beforeEach(() => (directory = mkdtempSync(path.join(tmpdir(), 'torpor-archives-'))))
afterEach(() => rmSync(directory, { recursive: true, force: true }))
const at = (...names: string[]): string => path.join(directory, ...names)

/** The commands' own places, moved below the test's directory. */
const moved = (command: string): string => command.replaceAll('/var/tmp/', at('var/'))
const shell = (command: string): void => void execFileSync('sh', ['-c', moved(command)], { stdio: ['ignore', 'pipe', 'pipe'] })

function unpack(options: Partial<Parameters<typeof unpackCommand>[0]> & { readonly destination: string }): void {
  const place = moved(archiveDirectory)
  mkdirSync(place, { recursive: true })
  execFileSync('cp', [at('a.tar'), place])
  shell(unpackCommand({ archive: 'a.tar', user: '', mode: '', isFile: false, program: '', ...options }))
  expect(statSync(place, { throwIfNoEntry: false })).toBeUndefined()
}

describe('unpacking', () => {
  beforeEach(() => {
    mkdirSync(at('tree/lib'), { recursive: true })
    writeFileSync(at('tree/lib/x'), 'x', { mode: 0o640 })
    execFileSync('tar', ['-cf', at('a.tar'), '-C', at('tree'), '.'])
  })

  it('leaves a directory that is there, and a link to one, as they are', () => {
    mkdirSync(at('root/usr/lib'), { recursive: true })
    chmodSync(at('root'), 0o1777)
    symlinkSync('usr/lib', at('root/lib'))
    unpack({ destination: at('root') })
    expect([statSync(at('root')).mode & 0o7777, readlinkSync(at('root/lib'))]).toEqual([0o1777, 'usr/lib'])
    expect(readFileSync(at('root/usr/lib/x'), 'utf8')).toBe('x')
  })

  it('takes any destination literally', () => {
    const odd = at(`a 'b" $(touch c)`)
    unpack({ destination: odd, mode: '700' })
    expect(statSync(path.join(odd, 'lib/x')).mode & 0o777).toBe(0o700)
  })

  it('asks for the program that it needs', () => {
    expect(() => unpack({ destination: at('b'), program: 'no-such-program' })).toThrow('needs the program no-such-program')
  })
})

describe('packing', () => {
  beforeEach(() => {
    mkdirSync(at('from/deep'), { recursive: true })
    writeFileSync(at('from/deep/one'), '1')
    writeFileSync(at('from/two'), '2', { mode: 0o750 })
    symlinkSync('two', at('from/link'))
  })

  /** Its kind, and what it holds. */
  function pack(source: string): string[] {
    shell(packCommand('n', source))
    const kind = readFileSync(moved(`${packed('n')}.kind`), 'utf8').trim()
    const listed = execFileSync('tar', ['-tf', moved(`${packed('n')}.tar`)], { encoding: 'utf8' })
    return [kind, ...listed.trim().split('\n').toSorted()]
  }

  it.each([
    ['from', ['tree', './', './deep/', './deep/one', './link', './two']],
    ['from/two', ['file', './', './two']],
    ['from/link', ['file', './', './link']],
    ['from/*', ['tree', './', './link', './one', './two']],
    ['from/t*', ['file', './', './two']],
  ])('takes of %s what COPY means', (source, expected) => {
    expect(pack(at(source).slice(1))).toEqual(expected)
  })

  it('says what is not there', () => {
    expect(() => pack(at('none').slice(1))).toThrow(/there is no \/.*none/)
  })

  it('gives one file the name of the destination, unless that is a directory', () => {
    shell(packCommand('n', at('from/two').slice(1)))
    execFileSync('cp', [moved(`${packed('n')}.tar`), at('a.tar')])
    unpack({ destination: at('new/name'), isFile: true })
    unpack({ destination: at('new'), isFile: true })
    unpack({ destination: `${at('other')}/`, isFile: true })
    for (const file of ['new/name', 'new/two', 'other/two']) expect([file, statSync(at(file)).mode & 0o777]).toEqual([file, 0o750])
  })
})

it('an archive is told by its name and first bytes', () => {
  writeFileSync(at('x.tar.gz'), Buffer.from('1f8b08', 'hex'))
  writeFileSync(at('y.tar.gz'), 'text')
  writeFileSync(at('z.gz'), Buffer.from('1f8b08', 'hex'))
  execFileSync('tar', ['-cf', at('t.tar'), '-C', directory, 'z.gz'])
  expect(['x.tar.gz', 'y.tar.gz', 'z.gz', 't.tar', 'none.tar'].map((name) => compressionOf(at(name)))).toEqual([
    'gzip',
    undefined,
    undefined,
    '',
    undefined,
  ])
  expect([matches(directory, '*.tar.gz'), matches(directory, 'no*')]).toEqual([['x.tar.gz', 'y.tar.gz'], ['no*']])
})
