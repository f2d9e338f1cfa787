import { describe, expect, it } from 'vitest'

import { parseSeconds, span } from './format.ts'
import { harmless, pairs, table } from './table.ts'

describe('tables', () => {
  it('have columns as wide as their widest cell, and no blanks at the end', () => {
    expect(
      table(
        ['id', 'name'],
        [
          ['1', 'long one'],
          ['234', ''],
        ],
        'none',
      ),
    ).toBe('id   name\n1    long one\n234\n')
    expect(table(['id'], [], 'no sandboxes')).toBe('no sandboxes\n')
    expect(
      pairs([
        ['a', '1'],
        ['bcd', '2'],
      ]),
    ).toBe('a    1\nbcd  2\n')
  })

  it('show control characters instead of obeying them', () => {
    expect(harmless('a\u001b[31m\r\n\u009b\u0007 ü')).toBe(String.raw`a\x1b[31m\x0d\x0a\x9b\x07 ü`)
    expect(table(['a'], [['x\ny']], 'none').split('\n')).toHaveLength(3)
  })
})

it.each([
  ['90', 90],
  ['90s', 90],
  ['10m', 600],
  ['2h', 7200],
  ['1d', 86_400],
  ['0', undefined],
  ['', undefined],
  ['-1', undefined],
  ['1.5h', undefined],
  ['soon', undefined],
])('%j are %s seconds', (text, seconds) => {
  expect(parseSeconds(text)).toBe(seconds)
})

it.each([
  [-5, '0 s'],
  [59_999, '59 s'],
  [60_000, '1 min'],
  [7_200_000, '2 h'],
  [200_000_000, '2 d'],
])('%d ms are %s', (milliseconds, text) => {
  expect(span(milliseconds)).toBe(text)
})
