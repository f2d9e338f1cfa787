import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'

import { TorporError, sandboxNotFound } from '@torpor/contract'
import type {
  CloneCommand,
  CreateCommand,
  EgressOptions,
  EventQuery,
  Inventory,
  ListCommand,
  Preparation,
  LogEntry,
  LogQuery,
  RecordedEvent,
  ResetCommand,
  Sample,
  SampleRange,
  SandboxRecord,
  SandboxView,
  Snapshot,
  SnapshotQuery,
  Uploads,
  UseCases,
  Verdict,
} from '@torpor/core'

import { createControlApi } from '../create-control-api.ts'
import { hashedKeys } from '../key-check.ts'
import type { ControlApiOptions } from '../options.ts'
import { FakeTemplates } from './fake-templates.ts'
import { newRecord, newSnapshot } from './samples.ts'

export const key = 'e2b_0123456789abcdef'

/** The use cases over maps, with what they were asked. */
class FakeCore extends FakeTemplates implements UseCases {
  readonly records = new Map<string, SandboxRecord>()
  readonly snapshots: Snapshot[] = []
  readonly recorded: RecordedEvent[] = []
  readonly samples: Sample[] = []
  /** What is shown of a sandbox where that differs from its record. */
  readonly shown = new Map<string, Partial<SandboxView['shown']>>()

  add(record: Partial<SandboxRecord> = {}): SandboxRecord {
    const added = newRecord(record)
    this.records.set(added.id, added)
    return added
  }

  async createSandbox(command: CreateCommand): Promise<SandboxRecord> {
    this.asked.push({ name: 'create', with: command })
    if (command.template === 'unknown') throw new TorporError('not_found', "template 'unknown' not found")
    const { secure, metadata, env, network, lifecycle } = command
    return this.add({ secure, metadata, env, network, lifecycle })
  }

  getSandbox(id: string): SandboxView {
    const record = this.records.get(id)
    if (!record) throw sandboxNotFound(id)
    const state = record.state === 'running' ? 'running' : 'paused'
    return { ...record, shown: { state, endAt: record.endAt, ...this.shown.get(id) } }
  }

  listSandboxes(command: ListCommand) {
    this.asked.push({ name: 'list', with: command })
    const sorted = [...this.records.values()].filter(({ state }) => command.states.some((wanted) => wanted === state))
    sorted.sort((a, b) => b.startedAt - a.startedAt || a.id.localeCompare(b.id))
    const { items, last } = page(sorted, command)
    const sandboxes = items.map(({ id }) => this.getSandbox(id))
    return last ? { sandboxes, next: { startedAt: last.startedAt, id: last.id } } : { sandboxes }
  }

  async killSandbox(id: string): Promise<void> {
    this.records.delete(this.getSandbox(id).id)
  }

  async pauseSandbox(id: string, options?: object): Promise<void> {
    this.asked.push({ name: 'pause', with: options })
    const record = this.#record(id)
    if (record.state === 'paused') throw new TorporError('conflict', `Sandbox "${id}" is paused`)
    this.records.set(id, { ...record, state: 'paused' })
  }

  async connectSandbox(id: string, timeoutSeconds?: number, reboot = false) {
    this.asked.push({ name: 'connect', with: reboot ? { timeoutSeconds, reboot } : timeoutSeconds })
    const resumed = this.#record(id).state === 'paused'
    return { sandbox: this.add({ ...this.#record(id), state: 'running' }), resumed }
  }

  async resumeSandbox(id: string, options: object): Promise<SandboxRecord> {
    this.asked.push({ name: 'resume', with: options })
    if (this.#record(id).state === 'running') throw new TorporError('conflict', `Sandbox "${id}" is already running`)
    return this.add({ ...this.#record(id), state: 'running' })
  }

  setTimeout(id: string, timeoutSeconds: number): void {
    this.asked.push({ name: 'timeout', with: [this.#record(id).id, timeoutSeconds] })
  }

  refresh(id: string, durationSeconds: number): void {
    this.asked.push({ name: 'refresh', with: [this.#record(id).id, durationSeconds] })
  }

  async updateNetwork(id: string, network: EgressOptions): Promise<void> {
    this.asked.push({ name: 'updateNetwork', with: [this.#record(id).id, network] })
  }

  async cloneSandbox(id: string, command: CloneCommand & { readonly strict: boolean }): Promise<SandboxRecord[]> {
    this.asked.push({ name: 'clone', with: command })
    const { secure, network } = this.#record(id)
    return Array.from({ length: command.count }, () => this.add({ secure, network }))
  }

  /** The second one fails. */
  async forkSandbox(id: string, command: CloneCommand) {
    this.asked.push({ name: 'fork', with: command })
    if (this.#record(id).state !== 'running') throw new TorporError('conflict', `Sandbox "${id}" is paused`)
    return Array.from({ length: command.count }, (_, index) =>
      index === 1 ? { error: new TorporError('exhausted', 'Too many') } : { sandbox: this.add() },
    )
  }

  async createSnapshot(id: string, name?: string): Promise<Snapshot> {
    this.asked.push({ name: 'snapshot', with: name })
    const snapshot = newSnapshot({ sandboxId: this.#record(id).id, name: name ?? null })
    this.snapshots.unshift(snapshot)
    return snapshot
  }

  listSnapshots(query: SnapshotQuery) {
    this.asked.push({ name: 'snapshots', with: query })
    const matching = this.snapshots.filter(
      ({ sandboxId, name }) => [sandboxId, undefined].includes(query.sandboxId) && [name, undefined].includes(query.name),
    )
    const { items: snapshots, last } = page(matching, query)
    return last ? { snapshots, next: { createdAt: last.createdAt, id: last.id } } : { snapshots }
  }

  async deleteTemplate(idOrName: string): Promise<void> {
    this.asked.push({ name: 'delete', with: idOrName })
    const template = this.templates.findIndex(({ id, names }) => id === idOrName || names.includes(idOrName))
    if (template !== -1) return void this.templates.splice(template, 1)
    const index = this.snapshots.findIndex(({ id, name, tag }) => [`${id}:default`, id, `local/${name}:${tag}`].includes(idOrName))
    if (index === -1) throw new TorporError('not_found', `snapshot '${idOrName}' not found`)
    this.snapshots.splice(index, 1)
  }

  async resetSandbox(id: string, command: ResetCommand): Promise<SandboxRecord> {
    this.asked.push({ name: 'reset', with: command })
    if (this.#record(id).templateId === 'deleted') throw new TorporError('conflict', `Sandbox "${id}" has no snapshot`)
    return this.add({ ...this.#record(id), state: command.resume ? 'running' : 'paused' })
  }

  events(query: EventQuery) {
    this.asked.push({ name: 'events', with: query })
    const { names, offset, limit } = query
    const matching = this.recorded.filter(({ name }) => names?.includes(name) ?? true)
    return { events: matching.slice(offset, offset + limit), total: matching.length }
  }

  quota() {
    return {
      usage: { sandboxes: 2, cpuCount: 4, memoryMiB: 2048 },
      limit: { sandboxes: 20, memoryMiB: 8192, maxTimeoutSeconds: 86_400 },
    }
  }

  preparations(): Preparation[] {
    return [{ name: 'code-interpreter-v1', state: 'preparing', step: 'installing its packages', since: 0 }]
  }

  metrics(id: string, range: SampleRange): Sample[] {
    this.asked.push({ name: 'metrics', with: { id, range } })
    return this.samples.filter(({ sandboxId, at }) => sandboxId === id && at >= range.from && at <= range.to)
  }

  lastMetrics(ids: readonly string[]): Sample[] {
    return ids.flatMap((id) => this.samples.filter(({ sandboxId }) => sandboxId === id).slice(-1))
  }

  logs(id: string, query: LogQuery): Promise<LogEntry[]> {
    this.asked.push({ name: 'logs', with: { id, query } })
    return Promise.resolve([{ at: 1000, level: 'info', logger: 'agent', message: 'process started', fields: { pid: '7' } }])
  }

  inventory(): Promise<Inventory> {
    const image = { bytes: 2048, allocatedBytes: 1024, sharedBytes: 512, extents: 1 }
    const sandboxes = [...this.records.keys()].map((id) => ({ view: this.getSandbox(id), memoryBytes: 4096, volume: null, image: null }))
    return Promise.resolve({ sandboxes, snapshots: [], templates: [{ id: 't', name: 'base', image }], spares: 2 })
  }

  async *verifyImages(): AsyncGenerator<Verdict> {
    for (const { id } of this.snapshots) yield { owner: { kind: 'snapshot', id }, result: 'intact' }
  }

  #record(id: string): SandboxRecord {
    const { shown: _, ...record } = this.getSandbox(id)
    return record
  }
}

/** The items of one page, and its last one unless it is the last page. */
function page<Item extends { readonly id: string }>(
  all: readonly Item[],
  query: { readonly after?: { readonly id: string } | undefined; readonly limit: number },
) {
  const start = query.after ? all.findIndex(({ id }) => id === query.after?.id) + 1 : 0
  const items = all.slice(start, start + query.limit)
  return { items, last: start + items.length < all.length ? items.at(-1) : undefined }
}

/** Archives in memory. */
class FakeUploads implements Uploads {
  readonly files = new Map<string, Buffer>()

  async has(hash: string): Promise<boolean> {
    return this.files.has(hash)
  }

  async receive(hash: string, content: AsyncIterable<Uint8Array>): Promise<void> {
    this.files.set(hash, await buffer(content))
  }

  async open(hash: string) {
    const content = this.files.get(hash) ?? Buffer.alloc(0)
    return { bytes: content.length, content: Readable.from([content]) }
  }

  async clearUnfinished(): Promise<void> {}

  async sweep(): Promise<void> {}
}

/** A log that remembers. */
class FakeLog {
  readonly lines: { readonly level: string; readonly context: Readonly<Record<string, unknown>>; readonly message: string }[] = []
  info = (context: Readonly<Record<string, unknown>>, message: string) => void this.lines.push({ level: 'info', context, message })
  warn = (context: Readonly<Record<string, unknown>>, message: string) => void this.lines.push({ level: 'warn', context, message })
  error = (context: Readonly<Record<string, unknown>>, message: string) => void this.lines.push({ level: 'error', context, message })
}

export interface Asked {
  readonly body?: unknown
  readonly headers?: Record<string, string>
}

/** An API over the fake, and a client that has the key. */
export function startApi(options: Partial<ControlApiOptions> = {}) {
  const core = new FakeCore()
  const log = new FakeLog()
  const uploads = new FakeUploads()
  const api = createControlApi({
    useCases: core,
    uploads,
    keys: hashedKeys(() => [createHash('sha256').update(key).digest('hex')]),
    tokens: { access: (id) => `access-${id}`, traffic: (id) => `traffic-${id}`, upload: (hash, at) => `upload-${hash}-${at}` },
    domain: null,
    log,
    version: '1.2.3',
    ...options,
  })
  const ask = async (line: string, { body, headers = {} }: Asked = {}): Promise<Response> => {
    const [method = '', path = ''] = line.split(' ')
    const content = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
    return api.request(path, { method, headers: { 'X-API-KEY': key, ...headers }, ...content })
  }
  return { api, core, log, ask, uploads }
}
