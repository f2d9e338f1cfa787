import { writeFile } from 'node:fs/promises'

import { runCommand } from '../run-command.ts'
import { type NetworkPlan, resolverAddressInside } from './plan.ts'
import { neverReachable, privateRanges } from './ranges.ts'

/** Ports on the resolver's address: what sandboxes send there arrives at these. */
export const doors = {
  resolver: 53_530,
  /** For the platform's own names. */
  hairpin: 53_443,
  /** For what a sandbox with rules about names sends to port 80 and to port 443, of any address. */
  plain: 53_080,
  secure: 53_444,
} as const

export interface FirewallOptions {
  readonly plan: NetworkPlan
  readonly allowPrivateNetworks: boolean
  /** The port under which sandboxes reach the platform's own names; undefined: they do not. */
  readonly publicPort: number | undefined
  /** Connections to the outside that one sandbox may have at once. */
  readonly connections: number
}

/**
 * The whole rule set of one server as nft text, replaced in one transaction. Sandboxes reach the outside, translated; not this
 * machine (but for the resolver and, by its public names, what it serves), not each other, not private networks, and not what the
 * rules of their own deny (`egress-rules.ts`). Nobody outside reaches a sandbox: requests come from the edge, which is on this machine.
 */
export function ruleset({ plan, allowPrivateNetworks, publicPort, connections }: FirewallOptions): string {
  const from = `iifname "${plan.interfacePrefix}*"`
  const unreachable = allowPrivateNetworks ? neverReachable : [...neverReachable, ...privateRanges]
  const toResolver = `ip daddr ${resolverAddressInside}`
  const hairpin =
    publicPort === undefined ? '' : `${from} ${toResolver} tcp dport ${publicPort} dnat ip to ${plan.resolver}:${doors.hairpin}`
  const bounded = `ct state new add @connections { ip saddr ct count over ${connections} } jump refuse`
  return `
table inet ${plan.table}
delete table inet ${plan.table}
table inet ${plan.table} {
  set closed { type ipv4_addr; }
  set connections { type ipv4_addr; size 65535; flags dynamic; }
  map egress { type ipv4_addr : verdict; }
  map diverted { type ipv4_addr : verdict; }
  chain raw {
    type filter hook prerouting priority raw; policy accept;
    ${from} fib saddr . iif oif missing drop
  }
  chain destination {
    type nat hook prerouting priority dstnat; policy accept;
    ${from} ${toResolver} udp dport 53 dnat ip to ${plan.resolver}:${doors.resolver}
    ${from} ${toResolver} tcp dport 53 dnat ip to ${plan.resolver}:${doors.resolver}
    ${from} ip saddr vmap @diverted
    ${hairpin}
  }
  chain source {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${plan.range} oifname != "${plan.interfacePrefix}*" masquerade
  }
  chain to_machine {
    type filter hook input priority filter; policy accept;
    ${from} jump from_sandbox_in
    iifname != "lo" ip daddr ${plan.resolver} drop
  }
  chain from_sandbox_in {
    ct state established,related accept
    ${bounded}
    ip daddr ${plan.resolver} meta l4proto { tcp, udp } th dport ${doors.resolver} accept
    ip daddr ${plan.resolver} tcp dport { ${doors.plain}, ${doors.secure} } ct status dnat accept
    ip saddr @closed jump refuse
    ip daddr ${plan.resolver} tcp dport ${doors.hairpin} accept
    jump refuse
  }
  chain through {
    type filter hook forward priority filter; policy accept;
    ${from} jump from_sandbox
    oifname "${plan.interfacePrefix}*" ct state established,related accept
    oifname "${plan.interfacePrefix}*" drop
  }
  chain from_sandbox {
    meta nfproto ipv6 drop
    ct state established,related accept
    ${bounded}
    oifname "tp*" jump refuse
    ip daddr { ${unreachable.join(', ')} } jump refuse
    ip saddr vmap @egress
    accept
  }
  chain refuse {
    meta l4proto tcp reject with tcp reset
    reject with icmpx admin-prohibited
  }
}
`
}

/** Puts the rules into force, with `more` in the same transaction, and lets the machine forward. Safe to repeat. */
export async function raiseFirewall(options: FirewallOptions, more: string): Promise<void> {
  await applyRules(ruleset(options) + more)
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1')
}

/** Runs nft text as one transaction. */
export async function applyRules(text: string): Promise<void> {
  await runCommand('nft', ['-f', '-'], { input: text })
}

/** Removes the rules; succeeds when there are none. */
export async function lowerFirewall(plan: NetworkPlan): Promise<void> {
  await applyRules(`table inet ${plan.table}\ndelete table inet ${plan.table}\n`)
}
