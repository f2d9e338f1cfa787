import type { Engine, Log, Store } from '@torpor/core'
import { type Artifacts, noteNeeds } from '@torpor/setup'

interface Places {
  readonly artifactDirectory: string
  readonly dataDirectory: string
}

/**
 * Tells later set-ups on this machine which artifacts they must keep for this data directory: those of its records, of what runs,
 * and of this version. On a full disk the note of the last start stays, and the server serves: sandboxes can be removed then.
 */
export async function noteArtifacts(
  { store, engine, log }: { readonly store: Store; readonly engine: Engine; readonly log: Log },
  { artifactDirectory, dataDirectory }: Places,
  { engineVersion, agentHash, rootfs, late }: Artifacts,
): Promise<void> {
  const named = store.namedArtifacts()
  const running = (await engine.list()).map((execution) => execution.engineVersion)
  try {
    await noteNeeds(artifactDirectory, dataDirectory, {
      engines: [...new Set([engineVersion, ...named.engines, ...running])],
      agents: [...new Set([agentHash, ...named.agents])],
      rootfs: [...new Set([rootfs.name, ...Object.values(late).map(({ name }) => name), ...named.rootfs])],
    })
  } catch (error) {
    log.warn({ error }, 'which artifacts are needed could not be noted: another version set up here might remove some in 14 days')
  }
}
