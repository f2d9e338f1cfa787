import path from 'node:path'

import { contentHash, isGoInput } from './content-hash.ts'
import { type LateRootfs, type LateTemplateName, lateRootfs } from './late-rootfs.ts'
import { SetupProblem } from './setup-problem.ts'

/** Where the built parts of this version stand. Immutable: images of sandboxes refer to them. */
export interface Artifacts {
  /** Holds `torpor-engine` and `gvisor-bin/`. */
  readonly engineDir: string
  /** Content hash of the engine's sources: the name of `engineDir`. */
  readonly engineVersion: string
  /** Holds `torpor-agent`. */
  readonly agentDir: string
  readonly agentHash: string
  /** Holds `torpor-oci`. */
  readonly ociDir: string
  /** The root file system of the template base. */
  readonly rootfs: { readonly name: string; readonly directory: string }
  /** The root file systems of templates that are made while the server serves. */
  readonly late: Readonly<Record<LateTemplateName, LateRootfs>>
}

/** Where this version's artifacts stand below `artifactDirectory`, or will stand once they are built. */
export function locateArtifacts(artifactDirectory: string, sourceDirectory: string): Artifacts {
  const engineVersion = hashOf(sourceDirectory, 'engine', isGoInput)
  const agentHash = hashOf(sourceDirectory, 'agent', isGoInput)
  const name = `base-${hashOf(sourceDirectory, 'templates/base', () => true)}`
  const rootfs = { name, directory: path.join(artifactDirectory, 'rootfs', name) }
  const late = (template: LateTemplateName): LateRootfs => lateRootfs(template, { artifactDirectory, sourceDirectory, base: rootfs })
  return {
    engineDir: path.join(artifactDirectory, 'engines', engineVersion),
    engineVersion,
    agentDir: path.join(artifactDirectory, 'agents', agentHash),
    agentHash,
    ociDir: path.join(artifactDirectory, 'tools', `oci-${hashOf(sourceDirectory, 'oci', isGoInput)}`),
    rootfs,
    late: { 'code-interpreter-v1': late('code-interpreter-v1'), 'code-interpreter-lean': late('code-interpreter-lean') },
  }
}

/** All directories of this version, made or not. */
export const directoriesOf = ({ engineDir, agentDir, ociDir, rootfs, late }: Artifacts, artifactDirectory: string): string[] => [
  engineDir,
  agentDir,
  ociDir,
  rootfs.directory,
  ...Object.values(late).map(({ name }) => path.join(artifactDirectory, 'rootfs', name)),
]

function hashOf(sourceDirectory: string, folder: string, matters: (file: string) => boolean): string {
  const hash = contentHash(path.join(sourceDirectory, folder), matters)
  if (hash !== undefined) return hash
  throw new SetupProblem(`${folder}/ of this clone holds no sources`, { mend: `git checkout -- ${folder}` })
}
