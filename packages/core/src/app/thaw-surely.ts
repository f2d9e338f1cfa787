import { isKind } from '@torpor/contract'

import type { Ports } from './ports.ts'

const tries = 5
const milliseconds = 200

/**
 * Lets a frozen process go on; tries again when the engine's host fails. One that is not frozen or does not exist any more needs
 * nothing. @throws TorporError when it stays frozen.
 */
export async function thawSurely({ engine, clock }: Pick<Ports, 'engine' | 'clock'>, execution: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await engine.thaw(execution)
    } catch (error) {
      if (isKind(error, 'conflict', 'not_found')) return
      if (attempt === tries) throw error
      await new Promise<void>((resolve) => void clock.after(milliseconds * attempt, resolve))
    }
  }
}
