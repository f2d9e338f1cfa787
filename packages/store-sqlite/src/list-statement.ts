import type { SQLInputValue } from 'node:sqlite'

import type { ListQuery } from '@torpor/core'

interface Statement {
  readonly sql: string
  readonly values: SQLInputValue[]
}

/**
 * The query of a list. Only the number of conditions shapes the text; every value, metadata keys too, is bound.
 * Order: start (newest first, or oldest with `asc`), then id, so that a cursor names one place even among equal starts.
 */
export function listStatement(query: ListQuery): Statement {
  const conditions: string[] = [`state IN (${query.states.map(() => '?').join(', ')})`]
  const values: SQLInputValue[] = [...query.states]
  const where = (condition: string, ...bound: SQLInputValue[]): void => {
    conditions.push(condition)
    values.push(...bound)
  }
  for (const [key, value] of Object.entries(query.metadata)) {
    where('EXISTS (SELECT 1 FROM json_each(metadata) WHERE key = ? AND value = ?)', key, value)
  }
  if (query.templateId !== undefined) where('template_id = ?', query.templateId)
  if (query.startedAfter !== undefined) where('started_at >= ?', query.startedAfter)
  const { after, order } = query
  if (after)
    where(`(started_at ${order === 'asc' ? '>' : '<'} ? OR (started_at = ? AND id > ?))`, after.startedAt, after.startedAt, after.id)
  const direction = order === 'asc' ? 'ASC' : 'DESC'
  return {
    sql: `SELECT * FROM sandbox WHERE ${conditions.join(' AND ')} ORDER BY started_at ${direction}, id LIMIT ?`,
    values: [...values, query.limit],
  }
}
