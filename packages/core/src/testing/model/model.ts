import assert from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'

import { TorporError, isKind } from '@torpor/contract'

import type { UseCases } from '../../app/use-cases.ts'
import type { Happening, Verb } from './happenings.ts'

/** A platform that can be driven, fake or real. */
export interface Driven {
  readonly useCases: UseCases
  /** A sandbox whose counter stands where its origin's stood, or at 0. Gives its id. */
  create(template?: string): Promise<string>
  /** What a running sandbox remembers in its memory. */
  counter(id: string): Promise<number>
  count(id: string): Promise<void>
  readonly mishaps?: {
    restart(): Promise<void>
    /** The process of a sandbox dies; resolves when that is known. */
    crash(id: string): Promise<void>
    /** The next capture fails so. */
    failCapture(error: TorporError): void
  }
}

interface Known {
  readonly state: 'running' | 'paused'
  readonly counter: number
  /** Where a reset leads when there is no snapshot; undefined: nowhere. */
  readonly origin: string | undefined
  /** Kept without its memory: it comes back with nothing counted. */
  readonly forgets: boolean
}

/** What a sandbox platform is, without engine, disk or time; and the real one beside it. */
export class Model {
  readonly #driven: Driven
  readonly #known = new Map<string, Known>()
  /** Oldest first. */
  readonly #snapshots = new Map<string, { readonly of: string; readonly counter: number }>()

  constructor(driven: Driven) {
    this.#driven = driven
  }

  async happens(happening: Happening): Promise<void> {
    if (happening.what === 'restart') return this.#driven.mishaps?.restart()
    if (happening.what === 'create') return this.#create(undefined, 0)
    const [snapshotId, snapshot] = [...this.#snapshots][happening.which % this.#snapshots.size] ?? []
    if (happening.what === 'create from snapshot')
      return snapshotId === undefined ? undefined : this.#create(snapshotId, snapshot?.counter ?? 0)
    if (happening.what === 'delete snapshot') return this.#deleteSnapshot(snapshotId)
    const [id, known] = [...this.#known][happening.which % this.#known.size] ?? []
    if (id === undefined || !known) return
    if (happening.what === 'together') return this.#together(id, known, happening.verbs)
    return this.#one(happening.what, id, known)
  }

  async #create(template: string | undefined, counter: number): Promise<void> {
    const id = await this.#driven.create(template)
    this.#known.set(id, { state: 'running', counter, origin: template ?? 'template', forgets: false })
  }

  async #deleteSnapshot(id: string | undefined): Promise<void> {
    if (id === undefined) return
    await this.#driven.useCases.deleteTemplate(id)
    this.#snapshots.delete(id)
    await assert.rejects(this.#driven.useCases.deleteTemplate(id), { kind: 'not_found' })
  }

  async #one(what: Verb | 'count' | 'crash' | 'failing pause', id: string, known: Known): Promise<void> {
    const { mishaps } = this.#driven
    switch (what) {
      case 'crash':
        return this.#crash(id, known)
      case 'failing pause':
        if (known.state === 'paused' || !mishaps) return
        mishaps.failCapture(new TorporError('no_space', 'ordered by the test'))
        return assert.rejects(this.#driven.useCases.pauseSandbox(id), { kind: 'no_space' })
      case 'count':
        if (known.state === 'paused') return
        await this.#driven.count(id)
        return void this.#known.set(id, { ...known, counter: known.counter + 1 })
      default:
        return this.#alone(what, id, known)
    }
  }

  /** Nobody else is at it: what comes of it is certain. */
  async #alone(verb: Verb, id: string, known: Known): Promise<void> {
    const refused = this.#refusal(verb, id, known)
    const work = this.#do(verb, id)
    if (refused !== undefined) return assert.rejects(work, { kind: refused })
    const result = await work
    switch (verb) {
      case 'pause':
      case 'pause behind':
        return void this.#known.set(id, { ...known, state: 'paused' })
      case 'pause files':
        return void this.#known.set(id, { ...known, state: 'paused', forgets: true })
      case 'reboot':
        return void this.#known.set(id, {
          ...known,
          state: 'running',
          counter: known.state === 'paused' ? 0 : known.counter,
          forgets: false,
        })
      case 'connect':
        return void this.#known.set(id, { ...known, state: 'running', counter: known.forgets ? 0 : known.counter, forgets: false })
      case 'kill':
        return void this.#known.delete(id)
      case 'snapshot':
        return void this.#snapshots.set(result[0] ?? '', { of: id, counter: known.counter })
      case 'clone':
        return this.#cloned(result, known)
      case 'reset':
        return void this.#known.set(id, { ...known, state: 'running', counter: this.#resetsTo(id, known) ?? 0, forgets: false })
      case 'set timeout':
    }
  }

  #refusal(verb: Verb, id: string, known: Known): 'conflict' | 'not_found' | undefined {
    const paused = known.state === 'paused'
    if (paused && (verb.startsWith('pause') || verb === 'snapshot')) return 'conflict'
    if (paused && verb === 'set timeout') return 'not_found'
    return verb === 'reset' && this.#resetsTo(id, known) === undefined ? 'conflict' : undefined
  }

  /** The counter after a reset: of its newest snapshot, else of what it comes from. */
  #resetsTo(id: string, { origin }: Known): number | undefined {
    const own = [...this.#snapshots.values()].filter((snapshot) => snapshot.of === id).at(-1)
    if (own) return own.counter
    return origin === 'template' ? 0 : this.#snapshots.get(origin ?? '')?.counter
  }

  #cloned(ids: readonly string[], parent: Known): void {
    const counter = parent.forgets ? 0 : parent.counter
    for (const id of ids) this.#known.set(id, { ...parent, state: 'running', counter, forgets: false })
  }

  /** Gives the ids of what it made. */
  async #do(verb: Verb, id: string): Promise<string[]> {
    const { useCases } = this.#driven
    switch (verb) {
      case 'pause':
        return nothing(await useCases.pauseSandbox(id))
      case 'pause behind':
        return nothing(await useCases.pauseSandbox(id, { until: 'frozen' }))
      case 'pause files':
        return nothing(await useCases.pauseSandbox(id, { kind: 'files' }))
      case 'connect':
        return nothing(await useCases.connectSandbox(id))
      case 'reboot':
        return nothing(await useCases.connectSandbox(id, undefined, true))
      case 'kill':
        return nothing(await useCases.killSandbox(id))
      case 'snapshot':
        return [(await useCases.createSnapshot(id)).id]
      case 'clone':
        return (await useCases.cloneSandbox(id, { count: 1, strict: true })).map((clone) => clone.id)
      case 'reset':
        return nothing(await useCases.resetSandbox(id, { resume: true }))
      case 'set timeout':
        return nothing(useCases.setTimeout(id, 500))
    }
  }

  async #crash(id: string, known: Known): Promise<void> {
    const { mishaps, useCases } = this.#driven
    if (!mishaps || useCases.getSandbox(id).execution === null) return
    await mishaps.crash(id)
    if (known.state === 'running') this.#known.delete(id)
  }

  /** Which one wins is open, but a kill ends it, and nothing of what it remembers is lost otherwise. */
  async #together(id: string, known: Known, verbs: readonly Verb[]): Promise<void> {
    const outcomes = await Promise.allSettled(verbs.map((verb) => this.#do(verb, id)))
    const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
    assert.deepEqual(
      refused.filter((reason) => !isKind(reason, 'not_found', 'conflict')),
      [],
    )
    const own = [...this.#snapshots.values()].some((snapshot) => snapshot.of === id)
    const counters = new Set([known.forgets ? 0 : known.counter, ...(verbs.includes('reset') ? [this.#resetsTo(id, known) ?? 0] : [])])
    for (const [index, outcome] of outcomes.entries()) {
      if (outcome.status === 'rejected') continue
      for (const made of outcome.value) await this.#made(verbs[index] ?? 'clone', made, { id, known, counters, own })
    }
    await this.#settled()
    const record = this.#all().find((sandbox) => sandbox.id === id)
    assert.equal(record === undefined, verbs.includes('kill'))
    if (!record) return void this.#known.delete(id)
    const state = record.shown.state === 'paused' ? 'paused' : 'running'
    // A paused one is asked when it is connected to: until then it may be any of what it may be.
    const counter = state === 'running' ? await this.#driven.counter(id) : await this.#counterAfterConnect(id)
    assert.ok(counters.has(counter), `${counter} is none of ${[...counters].join(', ')}`)
    this.#known.set(id, { ...known, state: 'running', counter, forgets: false })
  }

  async #counterAfterConnect(id: string): Promise<number> {
    await this.#driven.useCases.connectSandbox(id)
    return this.#driven.counter(id)
  }

  async #made(verb: Verb, made: string, origin: { id: string; known: Known; counters: Set<number>; own: boolean }): Promise<void> {
    if (verb === 'clone') {
      const counter = await this.#driven.counter(made)
      assert.ok(origin.counters.has(counter))
      return void this.#known.set(made, { ...origin.known, state: 'running', counter, forgets: false })
    }
    const id = await this.#driven.create(made)
    const counter = await this.#driven.counter(id)
    assert.ok(origin.counters.has(counter))
    origin.counters.add(counter)
    this.#snapshots.set(made, { of: origin.id, counter })
    this.#known.set(id, { state: 'running', counter, origin: made, forgets: false })
  }

  #all() {
    return this.#driven.useCases.listSandboxes({ states: ['running', 'paused'], metadata: {}, order: 'asc', limit: 1000 }).sandboxes
  }

  /** Resolves when no pause is going on behind its answer. */
  async #settled(): Promise<void> {
    while (this.#all().some(({ state }) => state === 'pausing')) await delay(5)
  }

  /** What the platform shows is as the model says. */
  async check(): Promise<void> {
    await this.#settled()
    const shown = this.#all().map(({ id, shown: { state } }): [string, string] => [id, state])
    assert.deepEqual(new Map(shown), new Map([...this.#known].map(([id, { state }]) => [id, state])))
    for (const [id, { state, counter }] of this.#known) {
      if (state === 'running') assert.equal(await this.#driven.counter(id), counter)
    }
    const snapshots = this.#driven.useCases.listSnapshots({ limit: 1000 }).snapshots.map(({ id }) => id)
    assert.deepEqual(new Set(snapshots), new Set(this.#snapshots.keys()))
  }
}

const nothing = (_result: unknown): string[] => []
