import { newSandboxId, newTemplateId } from '@torpor/contract'
import type { BuildRecord, RecordedEvent, SandboxRecord, Snapshot, TemplateDetail } from '@torpor/core'

const base = { rootfs: 'r', agent: 'a' }
const resources = { cpuCount: 2, memoryMiB: 1024, diskMiB: 10_240 }
const startedAt = 1_700_000_000_123

export const newRecord = (record: Partial<SandboxRecord> = {}): SandboxRecord => ({
  id: newSandboxId(),
  templateId: 'template0000000000000',
  buildId: 'build',
  alias: 'base',
  state: 'running',
  generation: 0,
  execution: 'x1',
  image: null,
  pausing: null,
  damage: null,
  base,
  resources,
  createdAt: 0,
  startedAt,
  endAt: startedAt + 300_000,
  timeoutSeconds: 300,
  pausedAt: null,
  lifecycle: { onTimeout: 'kill', autoResume: false, pauseKind: 'memory' },
  metadata: {},
  env: {},
  defaults: null,
  network: { allowInternetAccess: null, allowOut: [], denyOut: [], allowPublicTraffic: true, maskRequestHost: null },
  secure: true,
  ...record,
})

export const newSnapshot = (snapshot: Partial<Snapshot> = {}): Snapshot => ({
  id: newTemplateId(),
  name: null,
  tag: 'default',
  sandboxId: newSandboxId(),
  secure: true,
  templateId: 'template0000000000000',
  image: { name: 'image', kind: 'memory', engineVersion: 'e' },
  base,
  resources,
  env: {},
  defaults: null,
  createdAt: startedAt,
  ...snapshot,
})

export const newBuild = (build: Partial<BuildRecord> = {}): BuildRecord => ({
  id: newTemplateId(),
  templateId: 'template0000000000000',
  status: 'waiting',
  tags: ['default'],
  resources,
  reason: null,
  createdAt: startedAt,
  startedAt: null,
  finishedAt: null,
  ...build,
})

export const newTemplate = (template: Partial<TemplateDetail> = {}): TemplateDetail => ({
  id: newTemplateId(),
  names: ['mine'],
  isPublic: false,
  isBuiltIn: false,
  createdAt: startedAt,
  updatedAt: startedAt,
  spawnCount: 0,
  lastSpawnedAt: null,
  builds: [],
  ...template,
})

export const newEvent = (event: Partial<RecordedEvent> = {}): RecordedEvent => ({
  number: 1,
  sandboxId: newSandboxId(),
  templateId: 'template0000000000000',
  templateName: 'base',
  at: startedAt,
  name: 'created',
  reason: 'api',
  ...event,
})
