import type { SandboxEvent, SandboxRecord, Snapshot, TemplateBuild } from '@torpor/core'

/** Records for tests. */
export const sampleSandbox = (patch: Partial<SandboxRecord> = {}): SandboxRecord => ({
  id: 'i00000000000000000001',
  templateId: 'template1',
  buildId: 'build1',
  alias: 'base',
  state: 'running',
  generation: 0,
  execution: 'x1',
  image: null,
  pausing: null,
  damage: null,
  base: { rootfs: 'rootfs1', agent: 'agent1' },
  resources: { cpuCount: 2, memoryMiB: 512, diskMiB: 1024 },
  createdAt: 1000,
  startedAt: 1000,
  endAt: 301_000,
  timeoutSeconds: 300.5,
  pausedAt: null,
  lifecycle: { onTimeout: 'kill', autoResume: false, pauseKind: 'memory' },
  metadata: {},
  env: { PATH: '/bin' },
  defaults: { user: 'user', workdir: '/home/user' },
  network: { allowInternetAccess: null, allowOut: [], denyOut: [], allowPublicTraffic: true, maskRequestHost: null },
  secure: true,
  ...patch,
})

export const sampleEvent = (patch: Partial<SandboxEvent> = {}): SandboxEvent => ({
  sandboxId: 'i00000000000000000001',
  templateId: 'template1',
  templateName: 'base',
  at: 2000,
  name: 'killed',
  reason: 'api',
  ...patch,
})

export const sampleTemplate = (patch: Partial<TemplateBuild> = {}): TemplateBuild => ({
  templateId: 'template1',
  buildId: 'build1',
  names: ['base', 'default'],
  image: { name: 'build1/g1', kind: 'memory', engineVersion: 'fake-1' },
  base: { rootfs: 'rootfs1', agent: 'agent1' },
  resources: { cpuCount: 2, memoryMiB: 512, diskMiB: 1024 },
  createdAt: 1000,
  context: { env: {}, user: 'user', workdir: '/home/user' },
  start: { startCmd: null, readyCmd: null },
  layer: null,
  ...patch,
})

export const sampleSnapshot = (patch: Partial<Snapshot> = {}): Snapshot => ({
  id: 'snapshot1',
  name: null,
  tag: 'default',
  sandboxId: 'i00000000000000000001',
  secure: true,
  templateId: 'template1',
  image: { name: 'snapshot1/g1', kind: 'memory', engineVersion: 'fake-1' },
  base: { rootfs: 'rootfs1', agent: 'agent1' },
  resources: { cpuCount: 2, memoryMiB: 512, diskMiB: 1024 },
  env: { PATH: '/bin' },
  defaults: { user: 'user', workdir: '/home/user' },
  createdAt: 1000,
  ...patch,
})
