/** What the suites on the real engine need; there already after the first time. A process of its own: its end gives the lock back. */
import { loadConfig } from '@torpor/server/config'
import { readyArtifacts } from '@torpor/testkit'

await readyArtifacts(loadConfig())
