import { createHmac } from 'node:crypto'

import type { Tokens } from '@torpor/core'

/** Tokens follow from the server's secret and what they are for: the same for its whole life, and nowhere stored. */
export function derivedTokens(secret: string): Tokens {
  const derive = (purpose: string, what: string): string => createHmac('sha256', secret).update(`${purpose}:${what}`).digest('hex')
  return {
    access: (sandboxId) => derive('access', sandboxId),
    traffic: (sandboxId) => derive('traffic', sandboxId),
    upload: (hash, expiresAt) => derive('upload', `${expiresAt}:${hash}`),
  }
}
