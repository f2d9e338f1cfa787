import { createHmac } from 'node:crypto'

import type { Tokens } from '@torpor/core'

/** Tokens follow from the server's secret and the sandbox's id: the same for its whole life, and nowhere stored. */
export function derivedTokens(secret: string): Tokens {
  const derive = (purpose: string, sandboxId: string): string =>
    createHmac('sha256', secret).update(`${purpose}:${sandboxId}`).digest('hex')
  return {
    access: (sandboxId) => derive('access', sandboxId),
    traffic: (sandboxId) => derive('traffic', sandboxId),
  }
}
