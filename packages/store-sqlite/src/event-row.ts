import type { SandboxEvent } from '@torpor/core'
import { z } from 'zod'

const row = z.object({
  sandbox_id: z.string(),
  template_id: z.string(),
  at: z.number(),
  name: z.enum(['created', 'paused', 'resumed', 'killed']),
  reason: z.string(),
})

/** A row of the table `event` as core knows it. */
export function eventFromRow(columns: unknown): SandboxEvent {
  const { sandbox_id, template_id, ...same } = row.parse(columns)
  return { sandboxId: sandbox_id, templateId: template_id, ...same }
}

/** An event as columns. */
export const eventToRow = ({ sandboxId, templateId, at, name, reason }: SandboxEvent): Record<string, string | number> => ({
  sandbox_id: sandboxId,
  template_id: templateId,
  at,
  name,
  reason,
})
