import { createHash } from 'node:crypto'

import { expect, test } from 'vitest'

import { hashedKeys } from './key-check.ts'

const hash = (key: string): string => createHash('sha256').update(key).digest('hex')

test('a key is accepted as long as its hash is listed', () => {
  const hashes = [hash('other'), hash('key')]
  const keys = hashedKeys(() => hashes)
  expect(keys.accepts('key')).toBe(true)
  expect(keys.accepts('Key')).toBe(false)
  expect(keys.accepts(hash('key'))).toBe(false)
  hashes.pop()
  expect(keys.accepts('key')).toBe(false)
})

test('a hash that is none accepts nothing', () => {
  expect(hashedKeys(() => ['', 'xyz', 'ab']).accepts('')).toBe(false)
})

test('tells whose key was accepted, and of no other', () => {
  const accepted: string[] = []
  const keys = hashedKeys(
    () => [hash('other'), hash('key')],
    (known) => accepted.push(known),
  )
  keys.accepts('stranger')
  keys.accepts('key')
  expect(accepted).toEqual([hash('key')])
})
