import { type TestWorld, bootWorld } from '@torpor/testkit'
import { Sandbox as E2bSandbox } from 'e2b'
import { Sandbox as NovitaSandbox } from 'novita-sandbox'
import { afterAll, beforeAll, describe } from 'vitest'

/** A sandbox of either family; what they share has the types of e2b. */
export type AnySandbox = E2bSandbox

interface Family {
  readonly name: string
  readonly create: (options?: { timeoutMs?: number }) => Promise<AnySandbox>
}

const families: readonly Family[] = [
  { name: 'e2b (npm)', create: (options) => E2bSandbox.create(options) },
  {
    name: 'novita-sandbox (npm)',
    // Its classes have private members of their own, so the types differ although commands, pty and files are the same.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    create: async (options) => (await NovitaSandbox.create(options)) as unknown as AnySandbox,
  },
]

export interface Told {
  readonly world: TestWorld
  readonly sandbox: AnySandbox
}

/** The same promises with both families, each in a sandbox of its own of one world. */
export function withBothSdks(title: string, settings: Readonly<Record<string, string>>, promises: (told: () => Told) => void): void {
  describe(`both families: ${title}`, () => {
    let world: TestWorld
    beforeAll(async () => {
      world = await bootWorld(settings)
      Object.assign(process.env, world.env)
    })
    afterAll(async () => {
      await world?.close()
    })
    describe.each(families)('with $name', ({ create }) => {
      let sandbox: AnySandbox
      beforeAll(async () => {
        sandbox = await create({ timeoutMs: 600_000 })
      })
      promises(() => ({ world, sandbox }))
    })
  })
}

/** How much of a text is looked through; what came before is passed over. */
const keptCharacters = 20_000

/** A text that comes in pieces and is waited for. */
export class Seen {
  #text = ''
  readonly #waiting = new Map<string, () => void>()

  add(more: string): void {
    this.#text = (this.#text + more).slice(-keptCharacters)
    for (const [wanted, found] of this.#waiting) if (this.#text.includes(wanted)) found()
  }

  /** Resolves when `wanted` has come; tests end by their own timeout otherwise. */
  async for(wanted: string): Promise<void> {
    if (this.#text.includes(wanted)) return
    await new Promise<void>((resolve) => {
      this.#waiting.set(wanted, resolve)
    })
    this.#waiting.delete(wanted)
  }
}
