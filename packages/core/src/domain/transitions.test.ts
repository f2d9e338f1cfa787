import { expect, it } from 'vitest'

import type { SandboxState } from './sandbox.ts'
import { type Action, outcomeOf } from './transitions.ts'

const states: readonly SandboxState[] = ['creating', 'running', 'paused']
const actions: readonly Action[] = ['start', 'extend', 'pause', 'resume', 'evict', 'kill']

const outcome = (state: SandboxState, action: Action): string => {
  try {
    return outcomeOf(state, action, 'i1')
  } catch (error) {
    return error instanceof Error && 'kind' in error ? String(error.kind) : 'another error'
  }
}

it('P21 P22 knows every way between states, and no other', () => {
  const table = Object.fromEntries(states.map((state) => [state, actions.map((action) => outcome(state, action)).join(' ')]))
  expect(table).toEqual({
    creating: 'running conflict conflict conflict conflict gone',
    running: 'conflict running paused conflict conflict gone',
    paused: 'conflict conflict conflict running paused gone',
  })
})
