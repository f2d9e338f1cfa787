import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { afterEach, beforeEach, describe, expect, it } from 'vitest'

import { commandOutput } from './run-command.ts'

const program = path.resolve(import.meta.dirname, '../../../templates/base/debian-sources.awk')

let directory: string
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'torpor-sources-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

/** What the recipe makes of source files with these names and contents. */
async function sourcesOf(files: Record<string, string>): Promise<string[]> {
  const names = Object.entries(files).map(([name, content]) => {
    const file = path.join(directory, name)
    writeFileSync(file, content)
    return file
  })
  const output = await commandOutput(['awk', '-f', program, ...names])
  return (output ?? 'awk failed').split('\n').filter((line) => line !== '')
}

describe("the template's choice of Debian sources", () => {
  it('reads one-line entries, with options and comments', async () => {
    const lines = await sourcesOf({
      'sources.list': [
        '# deb http://old.test/debian bookworm main',
        'deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://mirror.test/debian bookworm main contrib # comment',
        'deb-src http://mirror.test/debian bookworm main',
        'deb http://mirror.test/debian-security\tbookworm-security main',
        'deb http://mirror.test/debian bookworm main',
      ].join('\n'),
    })
    expect(lines).toStrictEqual([
      'deb http://mirror.test/debian bookworm main',
      'deb http://mirror.test/debian-security bookworm-security main',
    ])
  })

  it('reads stanzas, several in a file', async () => {
    const lines = await sourcesOf({
      'debian.sources': [
        'Types: deb deb-src',
        '# a comment',
        'URIs: http://mirror.test/debian',
        'Suites: bookworm',
        ' bookworm-updates',
        'Components: main non-free-firmware',
        'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg',
        '',
        'Enabled: no',
        'Types: deb',
        'URIs: http://off.test/debian',
        'Suites: bookworm',
        'Components: main',
      ].join('\n'),
    })
    expect(lines).toStrictEqual(['deb http://mirror.test/debian bookworm main', 'deb http://mirror.test/debian bookworm-updates main'])
  })

  it('takes nothing that is not Debian bookworm', async () => {
    const lines = await sourcesOf({
      'a.list': [
        'deb [signed-by=/etc/apt/keyrings/vendor.gpg] https://vendor.test/debian bookworm main',
        'deb https://vendor.test/linux/debian bookworm stable',
        'deb http://mirror.test/debian trixie main',
        'deb http://mirror.test/ubuntu noble main',
        'deb cdrom:[Debian] bookworm main',
      ].join('\n'),
      'b.sources': 'Types: deb\nURIs: https://vendor.test/\nSuites: nodistro\nComponents: main\n',
    })
    expect(lines).toStrictEqual([])
  })

  it('keeps files apart', async () => {
    const lines = await sourcesOf({
      'a.sources': 'Types: deb\nURIs: http://one.test/debian\nSuites: bookworm\nComponents: main',
      'b.sources': 'Types: deb\nURIs: http://two.test/debian\nSuites: bookworm-updates\nComponents: main',
      'c.list': 'deb http://three.test/debian bookworm-security main',
    })
    expect(lines).toHaveLength(3)
  })
})
