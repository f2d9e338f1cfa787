import { TorporError, agentPort } from '@torpor/contract'

import type { SandboxRecord } from './sandbox.ts'

/** Which requests wake a sandbox that may be woken: `metadata.wake_on`, an extension of ours. */
export type WakePolicy = 'any' | 'agent' | 'ports' | ReadonlySet<number>

/**
 * `any` (the default): every supported activity. `agent`: only what the SDKs do (commands, files). `ports`: only public URLs. Or
 * a list of ports, such as `3000,8080`.
 * @throws TorporError `invalid_argument` for anything else.
 */
export function wakePolicyOf(metadata: Readonly<Record<string, string>>): WakePolicy {
  const asked = metadata['wake_on'] ?? 'any'
  if (asked === 'any' || asked === 'agent' || asked === 'ports') return asked
  const ports = asked.split(',').map((part) => (/^\s*\d{1,5}\s*$/.test(part) ? Number(part) : Number.NaN))
  if (ports.every((port) => port >= 1 && port <= 65_535)) return new Set(ports)
  throw new TorporError('invalid_argument', 'metadata.wake_on: must be any, agent, ports or a list of ports such as 3000,8080')
}

/** Whether a request to `port` may wake it: asked for by lifecycle or, for any lifecycle, by metadata (promises R5, R18). */
export function wakesOnTraffic(
  { lifecycle, metadata, image }: Pick<SandboxRecord, 'lifecycle' | 'metadata' | 'image'>,
  port: number,
): boolean {
  // Without its memory there is no process that could answer (protocol.md 2.5).
  if (image?.kind === 'files') return false
  if (!lifecycle.autoResume && metadata['auto_resume'] !== 'true') return false
  const policy = wakePolicyOf(metadata)
  if (policy === 'any') return true
  if (policy === 'agent') return port === agentPort
  return policy === 'ports' ? port !== agentPort : policy.has(port)
}
