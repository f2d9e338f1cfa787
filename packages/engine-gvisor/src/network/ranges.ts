import { BlockList } from 'node:net'
import { networkInterfaces } from 'node:os'

import ipaddr from 'ipaddr.js'

/** What is no address of anyone, this machine's own or of its link: cloud machines serve their credentials there. */
export const neverReachable = ['0.0.0.0/8', '127.0.0.0/8', '169.254.0.0/16', '224.0.0.0/3']

/** The machine's own networks: not reachable from sandboxes unless the operator allows it. */
export const privateRanges = ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16']

/**
 * Tells whether an IPv4 address is out of reach for sandboxes whatever their own rules say, as the kernel has it for what they
 * send themselves. For what this machine sends on their behalf.
 */
export function unreachable(range: string, allowPrivateNetworks: boolean): (address: string) => boolean {
  const list = new BlockList()
  for (const entry of [range, ...neverReachable, ...(allowPrivateNetworks ? [] : privateRanges)]) {
    const [network = '', bits] = entry.split('/')
    list.addSubnet(network, Number(bits))
  }
  return (address) => !ipaddr.IPv4.isValidFourPartDecimal(address) || list.check(address) || isOwn(address)
}

/** Read anew each time: a machine's addresses change. */
const isOwn = (address: string): boolean => Object.values(networkInterfaces()).some((own) => own?.some((one) => one.address === address))

/** Without those that lie within another one: the kernel takes no range twice. */
export function withoutNested(ranges: readonly string[]): string[] {
  const parsed = ranges.map((text) => ({ text, cidr: ipaddr.IPv4.parseCIDR(text) }))
  return parsed
    .filter(({ text, cidr: [address, bits] }) =>
      parsed.every((other) => other.text === text || other.cidr[1] >= bits || !address.match(other.cidr)),
    )
    .map(({ text }) => text)
}
