/** One /20 of the network belongs to each server on a machine; every sandbox gets a /30 of it. */
export const slotsPerServer = 1024

/** Servers that fit into a /16. */
export const serversPerMachine = 16

/** Where the sandboxes of one server live: pure arithmetic on addresses and names. */
export interface NetworkPlan {
  readonly server: number
  /** CIDR of all its sandboxes. */
  readonly range: string
  /** The resolver's address, on the machine's loopback device. */
  readonly resolver: string
  readonly table: string
  /** What the names of its host-side interfaces begin with. */
  readonly interfacePrefix: string
  readonly namespacePrefix: string
}

/** Everything that one sandbox's slot is called and where it is. */
export interface Slot {
  readonly index: number
  readonly namespace: string
  readonly namespacePath: string
  readonly hostInterface: string
  readonly hostAddress: string
  readonly address: string
}

/** The resolver's address as sandboxes see it, the same on every machine, because images hold it. */
export const resolverAddressInside = '169.254.53.53'

const toNumber = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)

const toAddress = (value: number): string => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')

/** @param network a /16 in CIDR notation. */
export function planNetwork(network: string, server: number): NetworkPlan {
  const start = toNumber(network.split('/')[0] ?? '') + server * slotsPerServer * 4
  return {
    server,
    range: `${toAddress(start)}/20`,
    resolver: toAddress(start + 1),
    table: `torpor${server}`,
    interfacePrefix: `tp${server}x`,
    namespacePrefix: `torpor${server}x`,
  }
}

/** Slot 0 is the server's own (its resolver); sandboxes have 1 to 1023. */
export function slotOf(plan: NetworkPlan, index: number): Slot {
  const start = toNumber(plan.range.split('/')[0] ?? '') + index * 4
  const namespace = `${plan.namespacePrefix}${index}`
  return {
    index,
    namespace,
    namespacePath: `/run/netns/${namespace}`,
    hostInterface: `${plan.interfacePrefix}${index}`,
    hostAddress: toAddress(start + 1),
    address: toAddress(start + 2),
  }
}
