import { expect, test } from 'vitest'

import { planNetwork, serversPerMachine, slotOf, slotsPerServer } from './plan.ts'

test('every slot of every server of a machine has an address of its own inside the network', () => {
  const addresses = new Set<string>()
  for (let server = 0; server < serversPerMachine; server += 1) {
    const plan = planNetwork('10.207.0.0/16', server)
    addresses.add(plan.resolver)
    for (let index = 1; index < slotsPerServer; index += 1) {
      const slot = slotOf(plan, index)
      addresses.add(slot.address)
      addresses.add(slot.hostAddress)
    }
  }
  expect(addresses.size).toBe(serversPerMachine * (1 + 2 * (slotsPerServer - 1)))
  expect([...addresses].every((address) => /^10\.207\.\d{1,3}\.\d{1,3}$/.test(address))).toBe(true)
})

test('names fit the kernel: interfaces have at most 15 characters', () => {
  const plan = planNetwork('10.207.0.0/16', serversPerMachine - 1)
  expect(slotOf(plan, slotsPerServer - 1).hostInterface.length).toBeLessThanOrEqual(15)
})

test('one server’s interfaces are never taken for another’s: no prefix begins another', () => {
  const prefixes = Array.from({ length: serversPerMachine }, (_, server) => planNetwork('10.207.0.0/16', server).interfacePrefix)
  for (const prefix of prefixes) expect(prefixes.filter((other) => other.startsWith(prefix))).toEqual([prefix])
})
