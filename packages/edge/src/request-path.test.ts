import { array, assert, boolean, property } from 'fast-check'
import { describe, expect, test } from 'vitest'

import { isHealth, isReserved, originForm, pathOf, queryOf } from './request-path.ts'

describe('a reserved path', () => {
  test.each([
    '/init',
    '//init',
    '/./init',
    '/../init',
    '/%69nit',
    '/%2569nit',
    '/init/',
    '/init/x',
    '/INIT',
    '/\\init',
    '/x/../init',
    '/x/%2e%2e/init',
    '/%2Finit',
    '/freeze',
    '/unfreeze',
    '/collapse',
    '/fsfreeze',
    '/fsthaw',
    '/upgrade',
  ])('is seen through every spelling: %s', (path) => {
    expect(isReserved(path)).toBe(true)
  })

  test.each(['/', '/files', '/initial', '/process.Process/Start', '/x/init', '/health'])('is not seen where it is not: %s', (path) => {
    expect(isReserved(path)).toBe(false)
  })

  test('cannot be hidden by encoding any of its characters any number of times', () => {
    const encode = (text: string, which: readonly boolean[]): string =>
      text.replaceAll(/./g, (character, index: number) => (which[index] ? `%${character.charCodeAt(0).toString(16)}` : character))
    const masks = array(array(boolean(), { minLength: 5, maxLength: 40 }), { maxLength: 4 })
    const isSeen = property(masks, (layers) => {
      expect(isReserved(`/${layers.reduce(encode, 'init')}`)).toBe(true)
    })
    expect(() => assert(isSeen)).not.toThrow()
  })
})

test('the health check is recognised in any spelling, and nothing else is', () => {
  expect(['/health', '//health', '/%68ealth', '/health/'].every(isHealth)).toBe(true)
  expect(['/healthy', '/', '/x/health'].some(isHealth)).toBe(false)
})

test('an absolute target becomes one in origin form', () => {
  expect(originForm('http://example.com/a?b')).toBe('/a?b')
  expect(originForm('http://example.com?b')).toBe('/?b')
  expect(originForm('/a')).toBe('/a')
  expect(originForm('*')).toBeUndefined()
  expect(pathOf('http://h/init?x#y')).toBe('/init')
  expect(queryOf('/a?b=1#c').get('b')).toBe('1')
  expect([...queryOf('/a')]).toEqual([])
})
