import type { Use } from '../domain/idle.ts'

/** What the edge sees of the use of sandboxes. */
export interface Activity {
  /** undefined: none since the server started. */
  of(sandboxId: string): Use | undefined
  /** Counts a call of the control plane as use. */
  touch(sandboxId: string): void
}
