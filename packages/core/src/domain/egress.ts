import { readOutbound } from '@torpor/contract'

import type { NetworkOptions } from './sandbox.ts'

/** What a sandbox may reach outside, as far as its owner decides. IPv4 ranges in CIDR notation: sandboxes have no IPv6. */
export interface EgressRules {
  /** Goes before what is denied. */
  readonly allow: readonly string[]
  /** Host names, or `*.` and a name for all below it, in lower case. They go before what is denied, too. */
  readonly allowNames: readonly string[]
  readonly deny: readonly string[]
}

/** The part of the network's options that is about the outside. */
export type EgressOptions = Pick<NetworkOptions, 'allowInternetAccess' | 'allowOut' | 'denyOut'>

/** Nothing is denied. */
export const openEgress: EgressRules = { allow: [], allowNames: [], deny: [] }

const everything = '0.0.0.0/0'

/** Without internet access everything is denied; what is allowed is so all the same (protocol.md 2.5). */
export function egressOf({ allowInternetAccess, allowOut, denyOut }: EgressOptions): EgressRules {
  const allowed = allowOut.map((text) => readOutbound(text))
  const denied = ranges(denyOut.map((text) => readOutbound(text)))
  return {
    allow: ranges(allowed),
    allowNames: unique(allowed.flatMap((target) => (target && 'name' in target ? [target.name] : []))),
    deny: allowInternetAccess === false ? [everything] : denied,
  }
}

/** Whether nothing is reached but what is allowed. */
export const isClosed = ({ deny }: EgressRules): boolean => deny.includes(everything)

/** Names are told apart only where all else is denied (protocol.md 2.5). */
export const isCoherent = (rules: EgressRules): boolean => rules.allowNames.length === 0 || isClosed(rules)

/** Whether there are no rules at all. */
export const isOpen = ({ allow, allowNames, deny }: EgressRules): boolean => allow.length + allowNames.length + deny.length === 0

/** Whether a host name, in lower case, is allowed by its name. */
export const allowsName = ({ allowNames }: EgressRules, name: string): boolean =>
  allowNames.some((pattern) => (pattern.startsWith('*.') ? name.endsWith(pattern.slice(1)) : name === pattern))

const ranges = (targets: readonly ReturnType<typeof readOutbound>[]): string[] =>
  unique(targets.flatMap((target) => (target && 'range' in target && !target.range.includes(':') ? [target.range] : [])))

const unique = (texts: readonly string[]): string[] => [...new Set(texts)]
