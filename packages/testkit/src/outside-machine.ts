import { execFileSync } from 'node:child_process'

/** A machine outside: a network namespace that is reached from this one and from sandboxes by addresses that are nobody's. */
export interface OutsideMachine {
  readonly namespace: string
  readonly addresses: readonly [string, string, string]
  /** This machine's own address on the way there. */
  readonly gateway: string
  remove(): void
}

export const ip = (...args: string[]): string => execFileSync('ip', args, { encoding: 'utf8' })

let made = 0

/** @returns one in a /29 of TEST-NET-3 (RFC 5737) that no other test uses at present. */
export function addOutsideMachine(): OutsideMachine {
  made += 1
  const namespace = `o${process.pid}x${made}`
  const routes = ip('route')
  const block = Array.from({ length: 32 }, (_, index) => index * 8).find((first) => !routes.includes(`203.0.113.${first}/29`))
  if (block === undefined) throw new Error('no free address for a machine outside')
  const address = (last: number): string => `203.0.113.${block + last}`
  const [gateway, ...addresses] = [address(1), address(2), address(3), address(4)] as const
  ip('netns', 'add', namespace)
  ip('link', 'add', `${namespace}h`, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace)
  ip('addr', 'add', `${gateway}/29`, 'dev', `${namespace}h`)
  ip('link', 'set', `${namespace}h`, 'up')
  for (const one of addresses) ip('-n', namespace, 'addr', 'add', `${one}/29`, 'dev', 'eth0')
  ip('-n', namespace, 'link', 'set', 'eth0', 'up')
  return {
    namespace,
    addresses,
    gateway,
    remove: () => {
      // The device goes first: a namespace lives on, with its devices, until the kernel finds the time.
      ip('link', 'del', `${namespace}h`)
      ip('netns', 'del', namespace)
    },
  }
}
