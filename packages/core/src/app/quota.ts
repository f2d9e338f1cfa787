import { activeSandboxes } from './admit-sandbox.ts'
import type { Ports } from './ports.ts'

/** What may be in use together. */
interface Usage {
  readonly sandboxes: number
  readonly cpuCount: number
  readonly memoryMiB: number
}

export interface Quota {
  readonly usage: Usage
  readonly limit: Omit<Usage, 'cpuCount'> & { readonly maxTimeoutSeconds: number }
}

/** What the active sandboxes hold, and what they may hold. */
export function quotaOf(ports: Pick<Ports, 'store' | 'transitions' | 'builds' | 'settings'>): Quota {
  const active = activeSandboxes(ports)
  const { maxSandboxes, memoryLimitMiB, maxTimeoutSeconds } = ports.settings
  return {
    usage: {
      sandboxes: active.length,
      cpuCount: active.reduce((sum, { resources }) => sum + resources.cpuCount, 0),
      memoryMiB: active.reduce((sum, { resources }) => sum + resources.memoryMiB, 0),
    },
    limit: { sandboxes: maxSandboxes, memoryMiB: memoryLimitMiB, maxTimeoutSeconds },
  }
}
