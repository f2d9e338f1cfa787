import { execFileSync } from 'node:child_process'

import { type EgressRules, openEgress } from '@torpor/core'
import { expect, test } from 'vitest'

import { admitAddresses, lowerRules, raiseRules } from './egress-rules.ts'
import { ruleset } from './firewall.ts'
import { planNetwork, slotOf } from './plan.ts'

const plan = planNetwork('10.207.0.0/16', 14)
const slot = slotOf(plan, 7)
const everything = ['0.0.0.0/0', '10.0.0.0/8']

/** What the kernel would make of it, in one transaction. */
function check(...texts: string[]): void {
  const input = ruleset({ plan, allowPrivateNetworks: false, publicPort: 3443, connections: 100 }) + texts.join('')
  execFileSync('nft', ['--check', '-f', '-'], { input, stdio: ['pipe', 'pipe', 'pipe'] })
}

const raised = (rules: Partial<EgressRules>): string => raiseRules(plan, slot, 3443, { ...openEgress, ...rules })

test('the kernel takes rules of every kind, one after the other, and their removal, also twice', () => {
  const all = [
    raised({ deny: ['1.2.3.4/32', '1.2.0.0/16'] }),
    raised({ deny: everything, allow: ['8.8.8.8/32', '8.8.8.8/32', '8.0.0.0/8'] }),
    raised({ deny: everything, allowNames: ['a.example', '*.b.example'], allow: ['8.8.8.8/32'] }),
    raiseRules(plan, slot, undefined, { ...openEgress, deny: everything, allowNames: ['a.example'] }),
  ]
  for (const text of all) expect(() => check(text)).not.toThrow()
  expect(() => check(...all, lowerRules(plan, slot), lowerRules(plan, slot), ...all)).not.toThrow()
  expect(() => check(lowerRules(plan, slot))).not.toThrow()
})

test('addresses of names are let through again and again, with a new time', () => {
  const found = admitAddresses(plan, slot, ['192.0.2.1', '192.0.2.2'], 60)
  expect(() => check(raised({ deny: everything, allowNames: ['a.example'] }), found, found)).not.toThrow()
})

test('what the kernel does not take shows: the check is one', () => {
  expect(() => check('add rule inet nowhere at all accept\n')).toThrow(/nft/)
})
