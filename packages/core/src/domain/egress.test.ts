import { expect, test } from 'vitest'

import { allowsName, egressOf, isClosed, isOpen, openEgress } from './egress.ts'

const network = { allowInternetAccess: null, allowOut: [], denyOut: [] }

test('without lists everything is open; IPv6, which there is not, changes nothing', () => {
  expect(egressOf(network)).toEqual(openEgress)
  expect(isOpen(egressOf({ ...network, denyOut: ['::/0'] }))).toBe(true)
})

test('no internet access denies everything, but what is allowed', () => {
  const rules = egressOf({
    ...network,
    allowInternetAccess: false,
    allowOut: ['8.8.8.8', 'Api.example.com', '*.example.org'],
    denyOut: ['1.1.1.1'],
  })
  expect(rules).toEqual({ allow: ['8.8.8.8/32'], allowNames: ['api.example.com', '*.example.org'], deny: ['0.0.0.0/0'] })
  expect(isClosed(rules)).toBe(true)
  expect(isClosed(egressOf({ ...network, denyOut: ['10.0.0.0/8'] }))).toBe(false)
})

test('a star stands for everything below a name, not for the name itself, nor for what merely ends like it', () => {
  const rules = { ...openEgress, allowNames: ['*.example.org', 'api.example.com'] }
  const names = ['a.example.org', 'a.b.example.org', 'example.org', 'badexample.org', 'api.example.com', 'x.api.example.com']
  expect(names.filter((name) => allowsName(rules, name))).toEqual(['a.example.org', 'a.b.example.org', 'api.example.com'])
})
