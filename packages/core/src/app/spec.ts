import { egressOf } from '../domain/egress.ts'
import type { SandboxRecord } from '../domain/sandbox.ts'
import type { ExecutionSpec } from '../ports/engine.ts'

/** What the engine needs to carry a sandbox as `execution`. */
export const specOf = (record: SandboxRecord, execution: string): ExecutionSpec => ({
  execution,
  hostname: record.id,
  base: record.base,
  resources: record.resources,
  egress: egressOf(record.network),
})
