import { writeFile } from 'node:fs/promises'

import { runCommand } from '../run-command.ts'
import { type NetworkPlan, resolverAddressInside } from './plan.ts'

/** The resolver's port on its own address. */
export const resolverPort = 53_530

/** The port on the same address that takes what sandboxes send to the platform's own names. */
export const hairpinPort = 53_443

/** Not reachable from sandboxes unless the operator allows it: the machine's own networks and what is no address of anyone. */
const privateRanges = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.168.0.0/16',
  '224.0.0.0/3',
]

export interface FirewallOptions {
  readonly plan: NetworkPlan
  readonly allowPrivateNetworks: boolean
  /** The port under which sandboxes reach the platform's own names; undefined: they do not. */
  readonly publicPort: number | undefined
}

/**
 * The whole rule set of one server as nft text, replaced in one transaction. Sandboxes reach the outside, translated; not this
 * machine (but for the resolver and, by its public names, what it serves), not each other, not private networks. Nobody outside reaches a sandbox: requests come from
 * the edge, which is on this machine.
 */
export function ruleset({ plan, allowPrivateNetworks, publicPort }: FirewallOptions): string {
  const from = `iifname "${plan.interfacePrefix}*"`
  const denied = allowPrivateNetworks ? '' : `ip daddr { ${privateRanges.join(', ')} } drop`
  const toResolver = `ip daddr ${resolverAddressInside}`
  const hairpin = publicPort === undefined ? '' : `${from} ${toResolver} tcp dport ${publicPort} dnat ip to ${plan.resolver}:${hairpinPort}`
  return `
table inet ${plan.table}
delete table inet ${plan.table}
table inet ${plan.table} {
  set offline { type ipv4_addr; }
  chain raw {
    type filter hook prerouting priority raw; policy accept;
    ${from} fib saddr . iif oif missing drop
  }
  chain destination {
    type nat hook prerouting priority dstnat; policy accept;
    ${from} ${toResolver} udp dport 53 dnat ip to ${plan.resolver}:${resolverPort}
    ${from} ${toResolver} tcp dport 53 dnat ip to ${plan.resolver}:${resolverPort}
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
    ip saddr @offline drop
    ip daddr ${plan.resolver} udp dport ${resolverPort} accept
    ip daddr ${plan.resolver} tcp dport { ${resolverPort}, ${hairpinPort} } accept
    drop
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
    ip saddr @offline drop
    oifname "tp*" drop
    ${denied}
    accept
  }
}
`
}

/** Puts the rules into force and lets the machine forward. Safe to repeat. */
export async function raiseFirewall(options: FirewallOptions, offline: readonly string[]): Promise<void> {
  const elements = offline.length > 0 ? `add element inet ${options.plan.table} offline { ${offline.join(', ')} }\n` : ''
  await runCommand('nft', ['-f', '-'], { input: ruleset(options) + elements })
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1')
}

/** Cuts a sandbox off from the outside, or lets it out again. */
export async function setOffline(plan: NetworkPlan, address: string, offline: boolean): Promise<void> {
  const verb = offline ? 'add' : 'delete'
  await runCommand('nft', ['-f', '-'], { input: `${verb} element inet ${plan.table} offline { ${address} }\n` })
}

/** Removes the rules; succeeds when there are none. */
export async function lowerFirewall(plan: NetworkPlan): Promise<void> {
  await runCommand('nft', ['-f', '-'], { input: `table inet ${plan.table}\ndelete table inet ${plan.table}\n` })
}
