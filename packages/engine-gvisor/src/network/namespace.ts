import { readdir, writeFile } from 'node:fs/promises'

import { runCommand } from '../run-command.ts'
import type { NetworkPlan, Slot } from './plan.ts'

/**
 * Makes a slot's network namespace with its end of a veth pair, addresses and default route; all or nothing.
 * @param megabits what it may send, and receive, per second; 0: no limit.
 */
export async function createNamespace(slot: Slot, megabits = 0): Promise<void> {
  // Starting a program is what costs time here, so there is one for each side.
  const outside = [
    `netns add ${slot.namespace}`,
    `link add ${slot.hostInterface} type veth peer name eth0 netns ${slot.namespace}`,
    // No address of its own making, not even for the moment until IPv6 is off.
    `link set ${slot.hostInterface} addrgenmode none`,
    `addr add ${slot.hostAddress}/30 dev ${slot.hostInterface}`,
    `link set ${slot.hostInterface} up`,
  ]
  const inside = ['link set lo up', `addr add ${slot.address}/30 dev eth0`, 'link set eth0 up', `route add default via ${slot.hostAddress}`]
  try {
    await runCommand('ip', ['-batch', '-'], { input: outside.join('\n') })
    await disableIpv6(slot.hostInterface)
    await runCommand('ip', ['-n', slot.namespace, '-batch', '-'], { input: inside.join('\n') })
    if (megabits > 0) await Promise.all([shape(slot.hostInterface, megabits), shape('eth0', megabits, slot.namespace)])
  } catch (error) {
    await deleteNamespace(slot.namespace, slot.hostInterface)
    throw error
  }
}

/** Delays what leaves by a device above the rate; what would wait too long is lost, and its sender slows down (tc-tbf). */
async function shape(device: string, megabits: number, namespace?: string): Promise<void> {
  const where = namespace === undefined ? [] : ['-n', namespace]
  const burst = Math.max(64 * 1024, Math.ceil((megabits * 1_000_000) / 8 / 250))
  const rate = ['rate', `${megabits}mbit`, 'burst', String(burst), 'latency', '100ms']
  await runCommand('tc', [...where, 'qdisc', 'replace', 'dev', device, 'root', 'tbf', ...rate])
}

/** Removes a namespace and both ends of its veth pair; succeeds when they are not there. */
export async function deleteNamespace(namespace: string, hostInterface: string): Promise<void> {
  // The device goes first: a namespace lives on, unseen, while a process of the sandbox still holds it.
  const input = [`link del ${hostInterface}`, `netns del ${namespace}`].join('\n')
  const failed = await runCommand('ip', ['-force', '-batch', '-'], { input }).then(
    () => undefined,
    (error: unknown) => error,
  )
  if (failed && (await stands(namespace, hostInterface))) throw failed
}

async function stands(namespace: string, hostInterface: string): Promise<boolean> {
  const [namespaces, interfaces] = await Promise.all([readdir('/run/netns').catch((): string[] => []), readdir('/sys/class/net')])
  return namespaces.includes(namespace) || interfaces.includes(hostInterface)
}

/** The slot numbers for which this server has a namespace or an interface on the machine. */
export async function standingSlots(plan: NetworkPlan): Promise<number[]> {
  const namespaces = await readdir('/run/netns').catch((): string[] => [])
  const interfaces = await readdir('/sys/class/net')
  const numbers = [
    ...namespaces.filter((name) => name.startsWith(plan.namespacePrefix)).map((name) => name.slice(plan.namespacePrefix.length)),
    ...interfaces.filter((name) => name.startsWith(plan.interfacePrefix)).map((name) => name.slice(plan.interfacePrefix.length)),
  ]
  return [...new Set(numbers.filter((text) => /^\d+$/.test(text)).map(Number))]
}

/** Sandboxes get IPv4 only: an address of the host's that nobody thinks of must not exist on their link. */
async function disableIpv6(device: string): Promise<void> {
  await writeFile(`/proc/sys/net/ipv6/conf/${device}/disable_ipv6`, '1').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })
}
