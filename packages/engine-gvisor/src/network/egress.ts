import { type EgressRules, isOpen, openEgress } from '@torpor/core'

import { admitAddresses, lowerRules, raiseRules } from './egress-rules.ts'
import { applyRules } from './firewall.ts'
import type { NetworkPlan, Slot } from './plan.ts'

/** A name's addresses stay open longer than its answer says: programs remember it a while. */
const graceSeconds = 120

/** What the sandboxes with rules of their own may reach, in the kernel and for those who ask by a sandbox's address. */
export class Egress {
  readonly #plan: NetworkPlan
  readonly #publicPort: number | undefined
  readonly #ruled = new Map<string, { readonly slot: Slot; readonly rules: EgressRules }>()
  /** Changes take effect in the order in which they were asked for. */
  #turn: Promise<unknown> = Promise.resolve()

  constructor(plan: NetworkPlan, publicPort: number | undefined) {
    this.#plan = plan
    this.#publicPort = publicPort
  }

  rulesOf(address: string): EgressRules | undefined {
    return this.#ruled.get(address)?.rules
  }

  /** Remembers what an earlier server has put into force. Gives the nft text that does it again. */
  adopt(slot: Slot, rules: EgressRules): string {
    if (isOpen(rules)) return ''
    this.#ruled.set(slot.address, { slot, rules })
    return raiseRules(this.#plan, slot, this.#publicPort, rules)
  }

  /** In force, and then kept, when this resolves; when it fails, what held before still holds. */
  set(slot: Slot, rules: EgressRules, keep: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    const open = isOpen(rules)
    return this.#inTurn(async () => {
      if (open && !this.#ruled.has(slot.address)) return
      await applyRules(open ? lowerRules(this.#plan, slot) : raiseRules(this.#plan, slot, this.#publicPort, rules))
      if (open) this.#ruled.delete(slot.address)
      else this.#ruled.set(slot.address, { slot, rules })
      await keep()
    })
  }

  /** For an address that nobody uses any more. Rules that stay in force are replaced when its next user comes. */
  async clear(slot: Slot): Promise<void> {
    await this.set(slot, openEgress).catch(() => undefined)
  }

  /** Lets packets of a sandbox through to addresses that an allowed name has led to. */
  admit(address: string, found: readonly string[], seconds: number): Promise<void> {
    return this.#inTurn(async () => {
      const ruled = this.#ruled.get(address)
      if (ruled) await applyRules(admitAddresses(this.#plan, ruled.slot, found, seconds + graceSeconds))
    })
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work)
    this.#turn = done.catch(() => undefined)
    return done
  }
}
