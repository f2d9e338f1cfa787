import { describe, expect, it } from 'vitest'

import { findCommand, isAtLeast, isRecentGo, isWish, missingRequirements, requirements } from './requirements.ts'
import { backportsEntry } from './system-packages.ts'

describe('requirements', () => {
  it('finds commands in the given directories only', () => {
    expect(findCommand('sh', ['/nowhere', '/bin'])).toBe('/bin/sh')
    expect(findCommand('sh', ['/nowhere'])).toBeUndefined()
  })

  it('asks for less when nothing has to be built', async () => {
    const commands = async (building: boolean): Promise<string[]> =>
      (await missingRequirements({ building, localNames: false, volume: false }, ['/nowhere']))
        .map(({ provides }) => provides)
        .filter((name) => !name.startsWith('/'))
    expect(await commands(false)).toStrictEqual(['ip', 'nft'])
    expect(await commands(true)).toStrictEqual(['ip', 'nft', 'mmdebstrap', 'npm', 'go', 'cc'])
  })

  it('asks for the tools of XFS only where there is a volume in a file, and goes on without them', async () => {
    const missingWith = async (volume: boolean) =>
      (await missingRequirements({ building: false, localNames: false, volume }, ['/nowhere'])).filter(
        ({ provides }) => provides === 'mkfs.xfs',
      )
    expect(await missingWith(false)).toStrictEqual([])
    expect((await missingWith(true)).map((missing) => [missing.packages, isWish(missing)])).toStrictEqual([[['xfsprogs'], true]])
  })

  it('says for each what it is for and which package brings it', () => {
    expect(requirements.every(({ packages, purpose }) => packages.length > 0 && purpose !== '')).toBe(true)
  })

  it.each([
    ['go version go1.21.0 linux/amd64', true],
    ['go version go1.26.8 linux/amd64', true],
    ['go version go1.19.8 linux/amd64', false],
    ['go version devel', false],
    [undefined, false],
  ])('%s: recent enough is %s', (answer, expected) => {
    expect(isRecentGo(answer)).toBe(expected)
  })

  it("reads Debian's versions", () => {
    expect(isAtLeast('2:1.23~2~bpo12+1', '1.21')).toBe(true)
    expect(isAtLeast('2:1.19~1', '1.21')).toBe(false)
    expect(isAtLeast('(none)', '1.21')).toBe(false)
  })

  it('makes the source of backports from the mirror in use', () => {
    const sources = 'deb http://mirror.test/debian-security bookworm-security main\ndeb http://mirror.test/debian bookworm main\n'
    expect(backportsEntry(sources)).toBe('deb http://mirror.test/debian bookworm-backports main')
    expect(backportsEntry('')).toBeUndefined()
  })
})
