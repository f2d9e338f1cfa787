import { type ShownState, languageHeader, novitaSdkHeader } from '@torpor/contract'

import type { ApiContext } from './endpoint.ts'

/** Whose promises the caller relies on; whoever does not say is taken for a client of E2B (protocol.md 1.2). */
export const familyOf = (context: ApiContext): 'e2b' | 'novita' => (context.req.header(novitaSdkHeader) === undefined ? 'e2b' : 'novita')

/** Shows a state to this caller: the Python SDKs of both families fail on one that is neither running nor paused. */
export function stateFor(context: ApiContext): (state: ShownState) => ShownState {
  const knowsTwo = context.req.header(languageHeader)?.toLowerCase() === 'python'
  return (state) => (knowsTwo && state === 'snapshotting' ? 'running' : state)
}
