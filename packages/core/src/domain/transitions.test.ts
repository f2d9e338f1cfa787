import { expect, it } from 'vitest'

import type { SandboxState } from './sandbox.ts'
import { type Action, outcomeOf } from './transitions.ts'

const states: readonly SandboxState[] = ['creating', 'running', 'pausing', 'paused']
const actions: readonly Action[] = ['start', 'extend', 'pause', 'commit', 'revert', 'resume', 'capture', 'reset', 'evict', 'break', 'kill']

const outcome = (state: SandboxState, action: Action): string => {
  try {
    return outcomeOf(state, action, 'i1')
  } catch (error) {
    return error instanceof Error && 'kind' in error ? String(error.kind) : 'another error'
  }
}

it('P21 P22 knows every way between states, and no other', () => {
  const ways = (state: SandboxState): string[] =>
    actions.map((action) => [action, outcome(state, action)]).flatMap(([action, to]) => (to === 'conflict' ? [] : [`${action} ${to}`]))
  expect(Object.fromEntries(states.map((state) => [state, ways(state)]))).toEqual({
    creating: ['start running', 'kill gone'],
    running: ['extend running', 'pause pausing', 'capture running', 'reset running', 'kill gone'],
    pausing: ['commit paused', 'revert running', 'kill gone'],
    paused: ['resume running', 'reset running', 'evict paused', 'break paused', 'kill gone'],
  })
})
