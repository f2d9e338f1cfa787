import { createHash } from 'node:crypto'

import { TorporError, newSandboxId, sandboxNotFound } from '@torpor/contract'
import type { CreateCommand, ListCommand, SandboxRecord, UseCases } from '@torpor/core'

import { createControlApi } from '../create-control-api.ts'
import { hashedKeys } from '../key-check.ts'
import type { ControlApiOptions } from '../options.ts'

export const key = 'e2b_0123456789abcdef'

const newRecord = (record: Partial<SandboxRecord> = {}): SandboxRecord => ({
  id: newSandboxId(),
  templateId: 'template0000000000000',
  buildId: 'build',
  alias: 'base',
  state: 'running',
  generation: 0,
  execution: 'x1',
  image: null,
  base: { rootfs: 'r', agent: 'a' },
  resources: { cpuCount: 2, memoryMiB: 1024, diskMiB: 10_240 },
  createdAt: 0,
  startedAt: 1_700_000_000_123,
  endAt: 1_700_000_300_123,
  timeoutSeconds: 300,
  pausedAt: null,
  lifecycle: { onTimeout: 'kill', autoResume: false },
  metadata: {},
  env: {},
  network: { allowInternetAccess: null, allowPublicTraffic: true, maskRequestHost: null },
  secure: true,
  ...record,
})

/** The use cases over a map, with what they were asked. */
class FakeCore implements UseCases {
  readonly records = new Map<string, SandboxRecord>()
  readonly asked: { readonly name: string; readonly with: unknown }[] = []

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

  getSandbox(id: string): SandboxRecord {
    const record = this.records.get(id)
    if (!record) throw sandboxNotFound(id)
    return record
  }

  listSandboxes(command: ListCommand) {
    this.asked.push({ name: 'list', with: command })
    const sorted = [...this.records.values()].filter(({ state }) => command.states.some((wanted) => wanted === state))
    sorted.sort((a, b) => b.startedAt - a.startedAt || a.id.localeCompare(b.id))
    const start = command.after ? sorted.findIndex(({ id }) => id === command.after?.id) + 1 : 0
    const sandboxes = sorted.slice(start, start + command.limit)
    const last = sandboxes.at(-1)
    return last && start + sandboxes.length < sorted.length
      ? { sandboxes, next: { startedAt: last.startedAt, id: last.id } }
      : { sandboxes }
  }

  async killSandbox(id: string): Promise<void> {
    this.records.delete(this.getSandbox(id).id)
  }

  async pauseSandbox(id: string): Promise<void> {
    const record = this.getSandbox(id)
    if (record.state === 'paused') throw new TorporError('conflict', `Sandbox "${id}" is paused`)
    this.records.set(id, { ...record, state: 'paused' })
  }

  async connectSandbox(id: string, timeoutSeconds?: number) {
    this.asked.push({ name: 'connect', with: timeoutSeconds })
    const resumed = this.getSandbox(id).state === 'paused'
    return { sandbox: this.add({ ...this.getSandbox(id), state: 'running' }), resumed }
  }

  async resumeSandbox(id: string, options: object): Promise<SandboxRecord> {
    this.asked.push({ name: 'resume', with: options })
    if (this.getSandbox(id).state === 'running') throw new TorporError('conflict', `Sandbox "${id}" is already running`)
    return this.add({ ...this.getSandbox(id), state: 'running' })
  }

  setTimeout(id: string, timeoutSeconds: number): void {
    this.asked.push({ name: 'timeout', with: [this.getSandbox(id).id, timeoutSeconds] })
  }

  refresh(id: string, durationSeconds: number): void {
    this.asked.push({ name: 'refresh', with: [this.getSandbox(id).id, durationSeconds] })
  }
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
  const api = createControlApi({
    useCases: core,
    keys: hashedKeys(() => [createHash('sha256').update(key).digest('hex')]),
    tokens: { access: (id) => `access-${id}`, traffic: (id) => `traffic-${id}` },
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
  return { api, core, log, ask }
}
