import { type Action, type Lasting, type Outcome, allowed, lasting, meet } from './transitions.ts'

const title: Readonly<Record<Action, string>> = {
  start: 'start',
  extend: 'extend',
  pause: 'pause',
  commit: 'commit',
  revert: 'revert',
  resume: 'resume',
  capture: 'capture (snapshot, clone, fork)',
  reset: 'reset',
  evict: 'evict',
  forget: 'forget (reboot)',
  break: 'break',
  rewire: 'rewire (network rules)',
  kill: 'kill',
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`

const markdown = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')

/** What each action leads to in each state, for ARCHITECTURE.md. */
export function stateTable(): string {
  const states = Object.entries(allowed)
  const actions = Object.entries(title)
  const outcome = (ways: Readonly<Partial<Record<string, Outcome>>>, action: string): string => ways[action] ?? '–'
  return markdown(
    ['state', ...actions.map(([, text]) => text)],
    states.map(([state, ways]) => [state, ...actions.map(([action]) => outcome(ways, action))]),
  )
}

/** What becomes of what is asked for while something is being done, for ARCHITECTURE.md. */
export function raceTable(): string {
  const name = (action: Lasting): string => title[action]
  return markdown(
    ['in progress ↓ asked →', ...lasting.map(name)],
    lasting.map((doing) => [name(doing), ...lasting.map((asked) => meet(doing, asked))]),
  )
}
