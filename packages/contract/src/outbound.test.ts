import { expect, test } from 'vitest'

import { readOutbound } from './outbound.ts'

test('addresses and ranges, with nothing behind the prefix', () => {
  expect(readOutbound('8.8.8.8')).toEqual({ range: '8.8.8.8/32' })
  expect(readOutbound('10.1.2.3/8')).toEqual({ range: '10.0.0.0/8' })
  expect(readOutbound('0.0.0.0/0')).toEqual({ range: '0.0.0.0/0' })
  expect(readOutbound('2001:db8::1/32')).toEqual({ range: '2001:db8::/32' })
})

test('names in lower case, without the last dot; a star for everything below', () => {
  expect(readOutbound('API.Example.com.')).toEqual({ name: 'api.example.com' })
  expect(readOutbound('*.example.com')).toEqual({ name: '*.example.com' })
  expect(readOutbound('registry')).toEqual({ name: 'registry' })
})

test.each([
  ['', '*', '*.', 'a*.example.com', 'a..b', '-a.example', 'a b', 'https://example.com', 'example.com/path', 'example.com:443'],
  ['10.0.0.1/33', '10.0.0.1/', '10.0.0.1/8/8', '10.0.0.1/-1', '10.0.0.1/0x8', '1.2.3', '0x7f.1', '127.1', '2130706433', '010.0.0.256'],
])('nothing else: %s and its like', (...texts) => {
  expect(texts.map((text) => readOutbound(text))).toEqual(texts.map(() => undefined))
})
