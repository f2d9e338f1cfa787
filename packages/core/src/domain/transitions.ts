import { TorporError } from '@torpor/contract'

import type { SandboxState } from './sandbox.ts'

/** What can be done to a sandbox. `commit` and `revert` are the two ends of a pause. */
export type Action =
  | 'start'
  | 'extend'
  | 'pause'
  | 'commit'
  | 'revert'
  | 'resume'
  | 'capture'
  | 'reset'
  | 'evict'
  | 'forget'
  | 'break'
  | 'rewire'
  | 'kill'

/** The state an action leads to; `gone` ends the record. */
export type Outcome = SandboxState | 'gone'

/** The one table of states: what is not here is not possible. */
export const allowed: Readonly<Record<SandboxState, Readonly<Partial<Record<Action, Outcome>>>>> = {
  creating: { start: 'running', kill: 'gone' },
  running: { extend: 'running', pause: 'pausing', capture: 'running', reset: 'running', rewire: 'running', kill: 'gone' },
  pausing: { commit: 'paused', revert: 'running', kill: 'gone' },
  paused: { resume: 'running', reset: 'running', evict: 'paused', forget: 'paused', break: 'paused', rewire: 'paused', kill: 'gone' },
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

/** Actions that take their time: one at once per sandbox. */
export const lasting = ['pause', 'resume', 'capture', 'reset', 'evict', 'kill'] as const
export type Lasting = (typeof lasting)[number]

/** What becomes of an action that is asked for while another one is in progress on the same sandbox. */
export type Meeting = 'joins' | 'waits' | 'overtakes'

/** Each caller of these has a result of its own. */
const ownResult: ReadonlySet<Action> = new Set(['capture', 'reset'])

/** Who waits asks the table of states again when its turn comes. */
export function meet(doing: Lasting, asked: Lasting): Meeting {
  if (doing === asked) return ownResult.has(asked) ? 'waits' : 'joins'
  return asked === 'kill' ? 'overtakes' : 'waits'
}
