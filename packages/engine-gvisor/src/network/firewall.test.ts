import { execFileSync } from 'node:child_process'

import { expect, test } from 'vitest'

import { ruleset } from './firewall.ts'
import { planNetwork } from './plan.ts'

const plan = planNetwork('10.207.0.0/16', 3)

test('the rules are what nft understands', () => {
  for (const [allowPrivateNetworks, publicPort] of [
    [true, undefined],
    [false, 3443],
  ] as const) {
    const input = ruleset({ plan, allowPrivateNetworks, publicPort, connections: 100 })
    expect(() => execFileSync('nft', ['--check', '-f', '-'], { input })).not.toThrow()
  }
})

test('private networks are denied unless the operator opens them', () => {
  expect(ruleset({ plan, allowPrivateNetworks: false, publicPort: undefined, connections: 100 })).toContain('192.168.0.0/16')
  expect(ruleset({ plan, allowPrivateNetworks: true, publicPort: undefined, connections: 100 })).not.toContain('192.168.0.0/16')
})
