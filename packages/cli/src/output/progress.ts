import process from 'node:process'

import { reporterFor } from '@torpor/setup'

/** Shows on a terminal how long `work` takes; on standard error, and nothing where nobody watches. */
export async function withProgress<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
  if (!process.stderr.isTTY) return work()
  const reporter = reporterFor(process.stderr)
  const since = performance.now()
  reporter.started(name)
  try {
    const result = await work()
    reporter.finished(name, performance.now() - since)
    return result
  } catch (error) {
    reporter.failed(name, performance.now() - since)
    throw error
  } finally {
    reporter.close()
  }
}
