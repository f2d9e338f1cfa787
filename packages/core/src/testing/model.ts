import assert from 'node:assert/strict'

import { TorporError, isKind } from '@torpor/contract'
import * as fc from 'fast-check'

import { type World, executionOf } from './world.ts'

interface Known {
  readonly state: 'running' | 'paused'
  readonly counter: number
  readonly generation: number
}

type Verb = 'pause' | 'connect' | 'kill'

/** One thing that happens to a platform; `which` chooses among the sandboxes that there are. */
export type Happening =
  | { readonly what: 'create' }
  | { readonly what: 'restart' }
  | { readonly what: Verb | 'count' | 'crash' | 'failing pause'; readonly which: number }
  | { readonly what: 'together'; readonly which: number; readonly verbs: readonly Verb[] }

const which = fc.nat({ max: 5 })
const verb = fc.constantFrom<Verb>('pause', 'connect', 'kill')

export const happening: fc.Arbitrary<Happening> = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom<Happening>({ what: 'create' }, { what: 'restart' }) },
  { weight: 5, arbitrary: fc.record({ what: fc.constantFrom('pause' as const, 'connect' as const), which }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constantFrom('kill' as const, 'crash' as const, 'failing pause' as const), which }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('count' as const), which }) },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constant('together' as const), which, verbs: fc.array(verb, { minLength: 2, maxLength: 5 }) }),
  },
)

/** What a sandbox platform is, without engine, disk or time; and the real one beside it. */
export class Model {
  readonly #world: World
  readonly #known = new Map<string, Known>()

  constructor(world: World) {
    this.#world = world
  }

  async happens(happening: Happening): Promise<void> {
    if (happening.what === 'restart') return void (await this.#world.restart())
    if (happening.what === 'create') return this.#create()
    const id = [...this.#known.keys()][happening.which % this.#known.size]
    const known = this.#known.get(id ?? '')
    if (id === undefined || !known) return
    if (happening.what === 'together') return this.#together(id, known, happening.verbs)
    return this.#one(happening.what, id, known)
  }

  async #create(): Promise<void> {
    const { id } = await this.#world.create()
    this.#known.set(id, { state: 'running', counter: 0, generation: 0 })
  }

  async #one(what: Verb | 'count' | 'crash' | 'failing pause', id: string, known: Known): Promise<void> {
    switch (what) {
      case 'pause':
        return this.#pause(id, known)
      case 'connect':
        await this.#world.useCases.connectSandbox(id)
        return void this.#known.set(id, { ...known, state: 'running' })
      case 'kill':
        await this.#world.useCases.killSandbox(id)
        return void this.#known.delete(id)
      case 'crash':
        return this.#crash(id, known)
      case 'failing pause':
        this.#world.engine.faults.failNext('capture', new TorporError('no_space', 'ordered by the test'))
        await assert.rejects(this.#world.useCases.pauseSandbox(id), TorporError)
        return this.#world.engine.faults.clear()
      case 'count':
        if (known.state === 'paused') return
        this.#world.memoryOf(id).counter += 1
        this.#known.set(id, { ...known, counter: known.counter + 1 })
    }
  }

  async #pause(id: string, known: Known): Promise<void> {
    const pause = this.#world.useCases.pauseSandbox(id)
    if (known.state === 'paused') return assert.rejects(pause, { kind: 'conflict' })
    await pause
    this.#known.set(id, { ...known, state: 'paused', generation: known.generation + 1 })
  }

  async #crash(id: string, { state }: Known): Promise<void> {
    const record = this.#world.record(id)
    if (record.execution === null) return
    await this.#world.engine.crash(executionOf(record), 137)
    const { watched } = this.#world.life
    if (state === 'paused') return void (await watched.recordThat(id, ({ execution }) => execution === null))
    await watched.until(() => this.#world.store.getSandbox(id) === undefined)
    this.#known.delete(id)
  }

  /** Which one wins is open, but a kill ends it, and nothing of what it remembers is lost otherwise. */
  async #together(id: string, known: Known, verbs: readonly Verb[]): Promise<void> {
    const { useCases } = this.#world
    const calls = {
      pause: () => useCases.pauseSandbox(id),
      connect: () => useCases.connectSandbox(id),
      kill: () => useCases.killSandbox(id),
    }
    const outcomes = await Promise.allSettled(verbs.map((each) => calls[each]()))
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    assert.deepEqual(
      refused.filter(({ reason }) => !isKind(reason, 'not_found', 'conflict')),
      [],
    )
    const record = this.#world.store.getSandbox(id)
    assert.equal(record === undefined, verbs.includes('kill'))
    if (!record || record.state === 'creating' || record.state === 'pausing') return void this.#known.delete(id)
    assert.ok(record.generation - known.generation <= verbs.filter((each) => each === 'pause').length)
    this.#known.set(id, { ...known, state: record.state, generation: record.generation })
  }

  /** What is on record, what the engine runs and what it remembers are as the model says. */
  async check(): Promise<void> {
    const { store, engine, life } = this.#world
    const records = store.allSandboxes()
    assert.deepEqual(records.map(({ id }) => id).sort(), [...this.#known.keys()].sort())
    const statuses = new Map((await engine.list()).map(({ execution, status }) => [execution, status]))
    for (const { id, state, generation, execution } of records) {
      const known = this.#known.get(id)
      assert.deepEqual({ state, generation }, { state: known?.state, generation: known?.generation })
      assert.equal(typeof life.routes.of(id)?.address === 'string', state === 'running')
      if (execution === null) continue
      assert.equal(statuses.get(execution), state === 'running' ? 'running' : 'frozen')
      assert.equal(engine.memory(execution).counter, known?.counter)
    }
    assert.equal(statuses.size, records.filter(({ execution }) => execution !== null).length)
  }

  /** The images that records name. */
  get images(): string[] {
    const named = this.#world.store.allSandboxes().map(({ image }) => image?.name)
    return named.filter((name) => name !== undefined).sort()
  }
}
