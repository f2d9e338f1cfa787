import type { SQLInputValue } from 'node:sqlite'

import { type EventQuery, type RecordedEvent, type SandboxEvent, eventNames } from '@torpor/core'
import { z } from 'zod'

const row = z.object({
  number: z.number(),
  sandbox_id: z.string(),
  template_id: z.string(),
  template_name: z.string().nullable(),
  at: z.number(),
  name: z.enum(eventNames),
  reason: z.string(),
})

/** A row of the table `event` as core knows it. */
export function eventFromRow(columns: unknown): RecordedEvent {
  const { sandbox_id, template_id, template_name, ...same } = row.parse(columns)
  return { sandboxId: sandbox_id, templateId: template_id, templateName: template_name, ...same }
}

/** An event as columns. */
export const eventToRow = ({ sandboxId, templateId, templateName, at, name, reason }: SandboxEvent): Record<string, SQLInputValue> => ({
  sandbox_id: sandboxId,
  template_id: templateId,
  template_name: templateName,
  at,
  name,
  reason,
})

/** The conditions of a query for events, every value bound. */
export function eventConditions(query: EventQuery): { readonly where: string; readonly values: Record<string, SQLInputValue> } {
  const conditions = {
    'sandbox_id = :sandbox': { sandbox: query.sandboxId },
    'template_id = :template': { template: query.templateId },
    'name IN (SELECT value FROM json_each(:names))': { names: query.names && JSON.stringify(query.names) },
    'at >= :from': { from: query.from },
    'at <= :to': { to: query.to },
  }
  const asked = Object.entries(conditions).filter(([, bound]) => Object.values(bound).every((value) => value !== undefined))
  const where = asked.map(([condition]) => condition).join(' AND ') || 'TRUE'
  return { where, values: Object.assign({}, ...asked.map(([, bound]) => bound)) }
}
