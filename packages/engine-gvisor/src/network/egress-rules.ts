import { type EgressRules, isClosed } from '@torpor/core'

import { doors } from './firewall.ts'
import { type NetworkPlan, type Slot, resolverAddressInside } from './plan.ts'
import { withoutNested } from './ranges.ts'

/** Addresses that names have led to, kept at most. */
const mostAddresses = 4096

/**
 * nft text that puts a sandbox's rules in the place of those it had. Two chains of its own: one for what leaves, one that diverts
 * what its names have to be looked for in; and the addresses that the resolver has found for them.
 */
export function raiseRules(plan: NetworkPlan, slot: Slot, publicPort: number | undefined, rules: EgressRules): string {
  const table = `inet ${plan.table}`
  const { out, divert, named } = namesOf(slot)
  const hasNames = rules.allowNames.length > 0
  const leaving = [
    ...to(rules.allow, 'accept'),
    // QUIC shows no name: without it, programs fall back to TLS, which does.
    ...(hasNames ? [`ip daddr @${named} meta l4proto != udp accept`, `ip daddr @${named} udp dport != 443 accept`] : []),
    ...to(rules.deny, 'jump refuse'),
  ]
  const diverting = hasNames ? [...to(rules.allow, 'return'), ...diversions(plan, publicPort)] : []
  return [
    lowerRules(plan, slot),
    `add set ${table} ${named} { type ipv4_addr; flags timeout; size ${mostAddresses}; }`,
    `add chain ${table} ${out}`,
    `add chain ${table} ${divert}`,
    ...leaving.map((rule) => `add rule ${table} ${out} ${rule}`),
    ...diverting.map((rule) => `add rule ${table} ${divert} ${rule}`),
    `add element ${table} egress { ${slot.address} : jump ${out} }`,
    `add element ${table} diverted { ${slot.address} : jump ${divert} }`,
    ...(isClosed(rules) ? [`add element ${table} closed { ${slot.address} }`] : []),
    '',
  ].join('\n')
}

/** nft text that takes a sandbox's rules away; of no effect when it has none. */
export function lowerRules(plan: NetworkPlan, slot: Slot): string {
  const table = `inet ${plan.table}`
  const { out, divert, named } = namesOf(slot)
  // What is removed has to be there: it is added first.
  return [
    `add set ${table} ${named} { type ipv4_addr; flags timeout; size ${mostAddresses}; }`,
    ...[out, divert].map((chain) => `add chain ${table} ${chain}`),
    `add element ${table} egress { ${slot.address} : jump ${out} }`,
    `add element ${table} diverted { ${slot.address} : jump ${divert} }`,
    `add element ${table} closed { ${slot.address} }`,
    ...['egress', 'diverted', 'closed'].map((set) => `delete element ${table} ${set} { ${slot.address} }`),
    ...[out, divert].flatMap((chain) => [`flush chain ${table} ${chain}`, `delete chain ${table} ${chain}`]),
    `delete set ${table} ${named}`,
    '',
  ].join('\n')
}

/** nft text that lets a sandbox reach addresses that an allowed name has led to, for so many seconds. */
export function admitAddresses(plan: NetworkPlan, slot: Slot, addresses: readonly string[], seconds: number): string {
  const set = `inet ${plan.table} ${namesOf(slot).named}`
  const elements = addresses.map((address) => `${address} timeout ${seconds}s`).join(', ')
  // Added, removed and added again: an address that is there already would keep its old time.
  return [
    `add element ${set} { ${addresses.join(', ')} }`,
    `delete element ${set} { ${addresses.join(', ')} }`,
    `add element ${set} { ${elements} }`,
    '',
  ].join('\n')
}

const namesOf = ({ index }: Slot) => ({ out: `out${index}`, divert: `divert${index}`, named: `named${index}` })

const to = (ranges: readonly string[], verdict: string): string[] =>
  ranges.length === 0 ? [] : [`ip daddr { ${withoutNested(ranges).join(', ')} } ${verdict}`]

function diversions({ resolver }: NetworkPlan, publicPort: number | undefined): string[] {
  const own =
    publicPort === undefined ? [] : [`ip daddr ${resolverAddressInside} tcp dport ${publicPort} dnat ip to ${resolver}:${doors.secure}`]
  return [...own, `tcp dport 80 dnat ip to ${resolver}:${doors.plain}`, `tcp dport 443 dnat ip to ${resolver}:${doors.secure}`]
}
