import type { Socket } from 'node:net'

import type { EgressRules } from '@torpor/core'

import { claimServerNumber, releaseServerNumber } from './claim.ts'
import { Egress } from './egress.ts'
import { lowerFirewall, raiseFirewall } from './firewall.ts'
import { Hairpin } from './hairpin.ts'
import { NameGate } from './name-gate.ts'
import { type NetworkPlan, type Slot, planNetwork, slotOf } from './plan.ts'
import { unreachable } from './ranges.ts'
import { Resolver } from './resolver.ts'
import { Slots } from './slots.ts'
import { machineResolvers } from './upstream.ts'

export interface NetworkSettings {
  /** A /16 in CIDR notation. */
  readonly network: string
  readonly allowPrivateNetworks: boolean
  /** Connections to the outside that one sandbox may have at once. */
  readonly connectionsPerSandbox: number
  /** Megabits per second that one sandbox may send, and receive; 0: as many as the machine has. */
  readonly megabitsPerSandbox: number
  /** Network slots kept ready. */
  readonly spareSlots: number
  /** Resolvers that answer sandboxes' look-ups; empty: those of the machine. */
  readonly resolvers: readonly string[]
  /** The platform's own names and the port they are served on, for sandboxes to reach; undefined: they do not. */
  readonly hairpin?: { readonly domain: string; readonly port: number } | undefined
}

/** A slot in use, and the rules of who uses it. */
interface SlotUse {
  readonly slot: number
  readonly egress: EgressRules
}

/** The network of one server's sandboxes: slots, firewall, names. */
export class Network {
  readonly server: number
  readonly #settings: NetworkSettings
  readonly #plan: NetworkPlan
  readonly #slots: Slots
  readonly #egress: Egress
  readonly #resolver: Resolver
  readonly #gate: NameGate
  readonly #hairpin: Hairpin

  private constructor(settings: NetworkSettings, server: number) {
    const { hairpin, resolvers, allowPrivateNetworks } = settings
    const plan = planNetwork(settings.network, server)
    this.server = server
    this.#settings = settings
    this.#plan = plan
    this.#slots = new Slots(plan, settings.spareSlots, settings.megabitsPerSandbox)
    this.#egress = new Egress(plan, hairpin?.port)
    const names = {
      address: plan.resolver,
      ownDomain: hairpin?.domain,
      upstreams: async () => (resolvers.length > 0 ? resolvers : machineResolvers()),
      rulesOf: (address: string) => this.#egress.rulesOf(address),
    }
    this.#resolver = new Resolver({ ...names, admit: (...found) => this.#egress.admit(...found) })
    this.#gate = new NameGate({ ...names, unreachable: unreachable(settings.network, allowPrivateNetworks) })
    this.#hairpin = new Hairpin(plan.resolver)
  }

  /** The network under the number that belongs to a data directory. */
  static async claim(settings: NetworkSettings, dataDirectory: string): Promise<Network> {
    return new Network(settings, await claimServerNumber(dataDirectory))
  }

  /** Puts everything into force, with the slots that an earlier server left in use. */
  async open(inUse: readonly SlotUse[]): Promise<void> {
    const { allowPrivateNetworks, connectionsPerSandbox, hairpin } = this.#settings
    const rules = inUse.map(({ slot, egress }) => this.#egress.adopt(this.slot(slot), egress)).join('')
    const firewall = { plan: this.#plan, allowPrivateNetworks, publicPort: hairpin?.port, connections: connectionsPerSandbox }
    await raiseFirewall(firewall, rules)
    await Promise.all([this.#openDoors(), this.#slots.open(inUse.map(({ slot }) => slot))])
  }

  async #openDoors(): Promise<void> {
    await this.#resolver.start()
    await Promise.all([this.#gate.start(), this.#settings.hairpin && this.#hairpin.start()])
  }

  slot(index: number): Slot {
    return slotOf(this.#plan, index)
  }

  /** A slot of one's own, open to the outside. @throws TorporError `exhausted`. */
  take(): Promise<Slot> {
    return this.#slots.take()
  }

  /** @param keep notes the rules where a restarted server finds them; changes are kept in their order. */
  setEgress(slot: Slot, rules: EgressRules, keep?: () => Promise<void>): Promise<void> {
    return this.#egress.set(slot, rules, keep)
  }

  /** Gives a slot back; nothing of its network is left. */
  async release(index: number): Promise<void> {
    const slot = this.slot(index)
    await this.#egress.clear(slot)
    await this.#slots.release(slot)
  }

  /** Hands over every connection that a sandbox makes to the platform's own names. */
  onHairpin(accept: (connection: Socket) => void): void {
    this.#hairpin.onConnection(accept)
  }

  /** Takes no more connections; what sandboxes have goes on, but for what passes through this process. */
  async close(): Promise<void> {
    await this.#slots.close()
    this.#hairpin.close()
    this.#gate.close()
    await this.#resolver.close()
  }

  /** Leaves nothing on the machine. When no slot is in use any more. */
  async giveBack(): Promise<void> {
    await lowerFirewall(this.#plan)
    await releaseServerNumber(this.server)
  }
}
