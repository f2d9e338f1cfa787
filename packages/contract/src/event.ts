import { z } from 'zod'

/** What was done to a sandbox, in Novita's words: its tests show `create`, `pause` and `resume`; the others follow them. */
export const eventOperations = ['create', 'pause', 'resume', 'snapshot', 'reset', 'damage', 'kill'] as const
export type EventOperation = (typeof eventOperations)[number]

/** How it went. */
export const eventStates = ['success', 'failed'] as const

/** An element of `GET /sandboxes/events` (protocol.md 2.3). */
export const eventItem = z.object({
  eventID: z.string(),
  /** Unix seconds. */
  recordAt: z.int(),
  templateID: z.string(),
  templateName: z.string(),
  sandboxID: z.string(),
  eventName: z.enum(eventOperations),
  state: z.enum(eventStates),
  errorMsg: z.string(),
  /** The HTTP status with which such a call is answered. */
  statusCode: z.int(),
  /** Ours: why it happened; `api`, `timeout`, `idle`, `traffic`, `crashed`… */
  reason: z.string(),
})
export type EventItem = z.infer<typeof eventItem>

export const eventsAnswer = z.object({ items: z.array(eventItem), total: z.int(), hasMore: z.boolean() })
