import { TorporError } from '@torpor/contract'

import type { SandboxState } from './sandbox.ts'

/** What can be done to a sandbox. `commit` and `revert` are the two ends of a pause. */
export type Action = 'start' | 'extend' | 'pause' | 'commit' | 'revert' | 'resume' | 'capture' | 'reset' | 'evict' | 'break' | 'kill'

/** The state an action leads to; `gone` ends the record. */
export type Outcome = SandboxState | 'gone'

/** The one table of states: what is not here is not possible. */
export const allowed: Readonly<Record<SandboxState, Readonly<Partial<Record<Action, Outcome>>>>> = {
  creating: { start: 'running', kill: 'gone' },
  running: { extend: 'running', pause: 'pausing', capture: 'running', reset: 'running', kill: 'gone' },
  pausing: { commit: 'paused', revert: 'running', kill: 'gone' },
  paused: { resume: 'running', reset: 'running', evict: 'paused', break: 'paused', kill: 'gone' },
}

/**
 * The state after `action`.
 * @throws TorporError `conflict` when the table does not allow it.
 */
export function outcomeOf(state: SandboxState, action: Action, id: string): Outcome {
  const outcome = allowed[state][action]
  if (outcome === undefined) {
    throw new TorporError('conflict', `Sandbox "${id}" is ${state}: ${action} is not possible now`, { context: { id, state, action } })
  }
  return outcome
}
