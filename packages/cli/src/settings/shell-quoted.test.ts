import { execFileSync } from 'node:child_process'

import { describe, expect, it } from 'vitest'

import { shellQuoted } from './shell-quoted.ts'

describe('shellQuoted', () => {
  it.each(['plain', "it's", '$(id) `id` \\', 'a\nb', "''", ''])('is one word to a shell: %j', (value) => {
    expect(execFileSync('sh', ['-c', `printf %s ${shellQuoted(value)}`], { encoding: 'utf8' })).toBe(value)
  })
})
