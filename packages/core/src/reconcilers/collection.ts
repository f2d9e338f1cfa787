import type { Ports } from '../app/ports.ts'
import { collectBuilds } from '../app/templates/collect-builds.ts'
import type { Pass } from './loop.ts'

const everyMilliseconds = 60_000

/** Removes builds, layers and archives that nobody needs any more, from time to time. */
export const collection =
  (ports: Ports): Pass =>
  async () => {
    await collectBuilds(ports)
    return everyMilliseconds
  }
