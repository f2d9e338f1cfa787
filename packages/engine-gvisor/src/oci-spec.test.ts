import { type ExecutionSpec, openEgress } from '@torpor/core'
import { expect, test } from 'vitest'
import { z } from 'zod'

import { ociSpec } from './oci-spec.ts'

const spec: ExecutionSpec = {
  execution: 'x1',
  hostname: 'i1',
  base: { rootfs: 'base-1', agent: 'a1' },
  resources: { cpuCount: 2, memoryMiB: 1024, diskMiB: 20_480 },
  egress: openEgress,
}
const places = {
  rootfs: '/artifacts/rootfs/base-1',
  agentDirectory: '/artifacts/agents/a1',
  namespacePath: '/run/netns/torpor0x1',
  cgroup: '/torpor0/x1',
  pidsLimit: 4096,
  overheadMiB: 96,
}

test('limits are enforced by default: memory with the kernel’s own share, CPU as a quota, processes', () => {
  expect(ociSpec(spec, places)).toMatchObject({
    linux: {
      cgroupsPath: '/torpor0/x1',
      resources: { memory: { limit: 1120 * 1024 * 1024 }, cpu: { period: 100_000, quota: 200_000 }, pids: { limit: 4096 } },
    },
  })
})

test('files in /dev/shm take half of the memory at most', () => {
  const shm = { destination: '/dev/shm', options: ['nosuid', 'nodev', 'mode=1777', 'size=524288k'] }
  expect(ociSpec(spec, places)).toHaveProperty('mounts', expect.arrayContaining([expect.objectContaining(shm)]))
})

test('nothing of the machine is mounted but the agent, read-only', () => {
  const mount = z.object({ type: z.string(), source: z.string(), options: z.array(z.string()) })
  const { mounts } = z.object({ mounts: z.array(mount) }).parse(ociSpec(spec, places))
  const bound = mounts.filter(({ type }) => type === 'bind')
  expect(bound.map(({ source }) => source)).toEqual(['/artifacts/agents/a1'])
  expect(bound[0]?.options).toContain('ro')
})

test('equal input gives equal text, so that a restore finds what its image knows', () => {
  expect(JSON.stringify(ociSpec(spec, places))).toBe(JSON.stringify(ociSpec(structuredClone(spec), places)))
})
