import { sandboxNotFound } from '@torpor/contract'

import type { Sample, SampleRange } from '../ports/metrics.ts'
import type { Ports } from './ports.ts'

/** A day of samples is 43,200: more than this many are thinned out. */
const mostSamples = 5000

/** Samples of a sandbox, oldest first (promise M1). @throws TorporError `not_found` for one that never was. */
export function metricsOf({ store, metrics }: Pick<Ports, 'store' | 'metrics'>, id: string, range: SampleRange): Sample[] {
  const found = metrics.samples(id, range, mostSamples)
  if (found.length > 0 || store.getSandbox(id)) return found
  if (store.events({ sandboxId: id, order: 'asc', offset: 0, limit: 1 }).total === 0) throw sandboxNotFound(id)
  return []
}
