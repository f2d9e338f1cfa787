import { TorporError } from '@torpor/contract'

import { createNamespace, deleteNamespace, standingSlots } from './namespace.ts'
import { type NetworkPlan, type Slot, slotOf, slotsPerServer } from './plan.ts'

/**
 * Network slots, each used by one execution only: a namespace that carried a sandbox is thrown away, never handed on. A few are
 * kept ready, since making one takes longer than a thaw.
 */
export class Slots {
  readonly #plan: NetworkPlan
  readonly #spares: number
  readonly #megabits: number
  readonly #taken = new Set<number>()
  #ready: Slot[] = []
  #next = 1
  #refilling: Promise<void> | undefined
  #closed = false

  /** @param megabits per second and direction, for each slot; 0: no limit. */
  constructor(plan: NetworkPlan, spares: number, megabits: number) {
    this.#plan = plan
    this.#spares = spares
    this.#megabits = megabits
  }

  /** Keeps the slots in `used` (found again after a restart), removes every other that stands on the machine, makes spares. */
  async open(used: readonly number[]): Promise<void> {
    for (const index of used) this.#taken.add(index)
    const left = (await standingSlots(this.#plan)).filter((index) => !this.#taken.has(index))
    await Promise.all(left.map((index) => this.#remove(slotOf(this.#plan, index))))
    this.#refill()
  }

  /** @throws TorporError `exhausted` when every address of this server is in use. */
  async take(): Promise<Slot> {
    const ready = this.#ready.shift()
    this.#refill()
    return ready ?? this.#make()
  }

  /** Gives a slot back; its namespace is gone when this returns. */
  async release(slot: Slot): Promise<void> {
    await this.#remove(slot)
    this.#taken.delete(slot.index)
  }

  /** Removes the spares; slots in use stay with their sandboxes. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#refilling
    const spares = this.#ready
    this.#ready = []
    await Promise.all(spares.map((slot) => this.release(slot)))
  }

  async #make(): Promise<Slot> {
    const slot = slotOf(this.#plan, this.#reserve())
    try {
      await createNamespace(slot, this.#megabits)
    } catch (error) {
      this.#taken.delete(slot.index)
      throw error
    }
    return slot
  }

  /** Round robin, so that an address is not used again at once. */
  #reserve(): number {
    for (let tries = 1; tries < slotsPerServer; tries += 1) {
      const index = this.#next
      this.#next = (this.#next % (slotsPerServer - 1)) + 1
      if (!this.#taken.has(index)) {
        this.#taken.add(index)
        return index
      }
    }
    throw new TorporError('exhausted', `All ${slotsPerServer - 1} network addresses for sandboxes are in use. Kill some, paused ones too`)
  }

  #refill(): void {
    if (this.#closed || this.#refilling || this.#ready.length >= this.#spares) return
    const fill = async (): Promise<void> => {
      while (!this.#closed && this.#ready.length < this.#spares) this.#ready.push(await this.#make())
    }
    // A spare that cannot be made is no loss: `take` makes one itself and reports why it cannot.
    this.#refilling = fill()
      .catch(() => undefined)
      .finally(() => {
        this.#refilling = undefined
      })
  }

  #remove(slot: Slot): Promise<void> {
    return deleteNamespace(slot.namespace, slot.hostInterface)
  }
}
