import { type EventItem, type EventOperation, eventOperations } from '@torpor/contract'
import { type EventName, type RecordedEvent, eventNames } from '@torpor/core'

interface Shown {
  readonly operation: EventOperation
  readonly statusCode: number
}

/** What clients are shown of the events; the intent to pause is none of theirs. */
const shown: Readonly<Record<Exclude<EventName, 'pausing'>, Shown>> = {
  created: { operation: 'create', statusCode: 201 },
  paused: { operation: 'pause', statusCode: 204 },
  resumed: { operation: 'resume', statusCode: 201 },
  snapshotted: { operation: 'snapshot', statusCode: 201 },
  reset: { operation: 'reset', statusCode: 200 },
  damaged: { operation: 'damage', statusCode: 500 },
  killed: { operation: 'kill', statusCode: 204 },
}

const stateOf = ({ statusCode }: Shown): EventItem['state'] => (statusCode < 400 ? 'success' : 'failed')

/** The events that are to be shown for these operations and this state; undefined asks for all of them. */
export function namesFor(operations: readonly EventOperation[] = eventOperations, state?: EventItem['state']): EventName[] {
  return eventNames.filter((name) => {
    if (name === 'pausing') return false
    const { operation } = shown[name]
    return operations.includes(operation) && (state === undefined || stateOf(shown[name]) === state)
  })
}

/** An event in Novita's words; empty for one that is not shown. */
export function eventToWire({ number, name, at, templateId, templateName, sandboxId, reason }: RecordedEvent): EventItem[] {
  if (name === 'pausing') return []
  const { operation, statusCode } = shown[name]
  const item: EventItem = {
    eventID: String(number),
    recordAt: Math.floor(at / 1000),
    templateID: templateId,
    templateName: templateName ?? '',
    sandboxID: sandboxId,
    eventName: operation,
    state: stateOf(shown[name]),
    errorMsg: name === 'damaged' ? `The saved state is ${reason}` : '',
    statusCode,
    reason,
  }
  return [item]
}
