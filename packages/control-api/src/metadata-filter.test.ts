import { array, assert, property, string, tuple } from 'fast-check'
import { describe, expect, test } from 'vitest'

import { parseMetadataFilter } from './metadata-filter.ts'

/** What an SDK does to a filter, before openapi-fetch encodes the whole for the wire. */
const encodedBySdk = (pairs: readonly (readonly [string, string])[]): string =>
  new URLSearchParams(pairs.map(([name, value]): [string, string] => [encodeURIComponent(name), encodeURIComponent(value)])).toString()

describe('a metadata filter', () => {
  test('is decoded as in the example of protocol.md 2.1', () => {
    const parameter = new URLSearchParams('metadata=a%252520b%3Dc%25252Fd').get('metadata') ?? ''
    expect(parseMetadataFilter(parameter)).toEqual({ 'a b': 'c/d' })
  })

  test('comes out as it went into an SDK, whatever characters it has', () => {
    const wellFormed = string({ unit: 'grapheme', minLength: 1 })
    const pairs = array(tuple(wellFormed, wellFormed), { minLength: 1 })
    const comesOut = property(pairs, (sent) => {
      expect(parseMetadataFilter(encodedBySdk(sent))).toEqual(Object.fromEntries(sent))
    })
    expect(() => assert(comesOut)).not.toThrow()
  })

  test('may be empty', () => {
    expect(parseMetadataFilter('')).toEqual({})
  })

  test.each(['a', 'a=b=c', 'a=b&c', '%', 'a=%25zz'])('that is malformed is refused: %s', (parameter) => {
    expect(() => parseMetadataFilter(parameter)).toThrow(/^metadata: /)
  })
})
