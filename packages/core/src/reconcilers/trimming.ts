import type { Ports } from '../app/ports.ts'
import type { Pass } from './loop.ts'

/** The longest that what a killed sandbox had can still be found on the disk below the volume. */
const everyMilliseconds = 30_000

/** Gives the disk below the volume what was freed, from time to time: at once, it would hold up every write. */
export const trimming =
  ({ volume }: Ports): Pass =>
  async () => {
    await volume.trim()
    return everyMilliseconds
  }
