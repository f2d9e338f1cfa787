import { networkInterfaces } from 'node:os'

import { expect, test } from 'vitest'

import { unreachable, withoutNested } from './ranges.ts'

test('the machine, its sandboxes and its link are out of reach whatever the operator allows', () => {
  const own = Object.values(networkInterfaces()).flatMap((all) => all?.filter(({ family }) => family === 'IPv4') ?? [])
  for (const allowPrivate of [true, false]) {
    const isOut = unreachable('10.207.0.0/16', allowPrivate)
    const addresses = [
      '127.0.0.1',
      '169.254.169.254',
      '0.0.0.0',
      '10.207.3.4',
      '224.0.0.1',
      '255.255.255.255',
      ...own.map(({ address }) => address),
    ]
    expect(addresses.filter((address) => !isOut(address))).toEqual([])
    expect(['8.8.8.8', '192.0.2.1'].filter(isOut)).toEqual([])
    expect(isOut('10.0.0.1')).toBe(!allowPrivate)
  }
})

test('what is no IPv4 address is out of reach', () => {
  expect(['::1', '::ffff:127.0.0.1', 'localhost', '', '127.1'].map(unreachable('10.207.0.0/16', true))).toEqual([
    true,
    true,
    true,
    true,
    true,
  ])
})

test('ranges within others are left out, those side by side are not', () => {
  expect(withoutNested(['1.2.3.4/32', '1.2.0.0/16', '1.3.0.0/16', '9.9.9.9/32'])).toEqual(['1.2.0.0/16', '1.3.0.0/16', '9.9.9.9/32'])
  expect(withoutNested(['0.0.0.0/0', '1.2.3.4/32'])).toEqual(['0.0.0.0/0'])
})
