import type { SQLInputValue } from 'node:sqlite'

import type { ListQuery } from '@torpor/core'

/** A sandbox that is being paused counts as paused (promise P9). */
const recordStates = { running: ['running'], paused: ['pausing', 'paused'] } as const

interface Statement {
  readonly sql: string
  readonly values: Record<string, SQLInputValue>
}

/** No pair is wanted that the record does not have. Both sides go through SQLite's JSON, so odd keys are read alike. */
const hasAllPairs = `NOT EXISTS (
  SELECT 1 FROM json_each(:metadata) AS wanted
  WHERE NOT EXISTS (SELECT 1 FROM json_each(sandbox.metadata) AS pair WHERE pair.key = wanted.key AND pair.value = wanted.value)
)`

/**
 * The query of a list. Only which conditions there are shapes the text, so there are few texts; every value is bound.
 * Order: start (newest first, or oldest with `asc`), then id, so that a cursor names one place even among equal starts.
 */
export function listStatement({ states, metadata, templateId, startedAfter, order, after, limit }: ListQuery): Statement {
  const conditions = ['state IN (SELECT value FROM json_each(:states))']
  const values: Record<string, SQLInputValue> = { states: JSON.stringify(states.flatMap((state) => recordStates[state])), limit }
  const where = (condition: string, bound: Record<string, SQLInputValue>): void => {
    conditions.push(condition)
    Object.assign(values, bound)
  }
  if (Object.keys(metadata).length > 0) where(hasAllPairs, { metadata: JSON.stringify(metadata) })
  if (templateId !== undefined) where('template_id = :template', { template: templateId })
  if (startedAfter !== undefined) where('started_at >= :started_after', { started_after: startedAfter })
  const [direction, beyond] = order === 'asc' ? ['ASC', '>'] : ['DESC', '<']
  if (after) {
    // The first half is for the index.
    where(`started_at ${beyond}= :at AND (started_at ${beyond} :at OR id > :id)`, { at: after.startedAt, id: after.id })
  }
  const sql = `SELECT * FROM sandbox WHERE ${conditions.join(' AND ')} ORDER BY started_at ${direction}, id LIMIT :limit`
  return { sql, values }
}
