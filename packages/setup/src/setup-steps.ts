import { chmod, mkdir } from 'node:fs/promises'
import path from 'node:path'

import { isPublished, publish } from './artifact.ts'
import { type Artifacts, locateArtifacts } from './artifacts.ts'
import { machineFacts, machineProblem } from './machine-check.ts'
import { runCommand } from './run-command.ts'
import type { Step, StepContext } from './run-steps.ts'
import { systemPackagesStep } from './system-packages.ts'

export interface SetupPlan {
  readonly artifacts: Artifacts
  /** In an order in which they may be run one after the other. */
  readonly steps: readonly Step[]
}

export interface SetupPlaces {
  readonly artifactDirectory: string
  readonly dataDirectory: string
  /** The root of the clone. */
  readonly sourceDirectory: string
  /** The directories of PATH: where commands of the system are looked for. */
  readonly searchPath: readonly string[]
  /** Sandboxes have names below localhost, which this machine must be able to look up. */
  readonly localNames?: boolean
  /** Images lie, or will lie, in a volume in a file, for which the tools of XFS are needed. */
  readonly volume?: boolean
}

const buildMilliseconds = 1_200_000

/**
 * The steps that make a machine ready to serve, and where their results stand.
 * @throws SetupProblem when the clone is not complete.
 */
export function planSetup(places: SetupPlaces): SetupPlan {
  const artifacts = locateArtifacts(places.artifactDirectory, places.sourceDirectory)
  const built = [artifacts.engineDir, artifacts.agentDir, artifacts.ociDir, artifacts.rootfs.directory]
  const building = (): boolean => !built.every((directory) => isPublished(directory))
  const script = (folder: string): string => path.join(places.sourceDirectory, folder, 'build.sh')
  return {
    artifacts,
    steps: [
      machineStep(places.artifactDirectory, building),
      systemPackagesStep({
        occasion: () => ({ building: building(), localNames: places.localNames === true, volume: places.volume === true }),
        sourcesProgram: path.join(places.sourceDirectory, 'templates/base/debian-sources.awk'),
        searchPath: places.searchPath,
      }),
      buildStep('template base', artifacts.rootfs.directory, [script('templates/base')]),
      // GOTOOLCHAIN: an older Go fetches the release that go.mod asks for.
      buildStep('torpor-engine', artifacts.engineDir, [script('engine')], ['GOTOOLCHAIN=auto']),
      buildStep('agent', artifacts.agentDir, [script('agent')], ['GOTOOLCHAIN=auto']),
      buildStep('image tool', artifacts.ociDir, [script('oci')], ['GOTOOLCHAIN=auto']),
      dataDirectoryStep(places.dataDirectory),
    ],
  }
}

/** Has no result of its own: it only refuses, before anything is touched. */
function machineStep(artifactDirectory: string, building: () => boolean): Step {
  const problem = (): Error | undefined => machineProblem(machineFacts(artifactDirectory), building())
  return {
    name: 'machine',
    done: () => problem() === undefined,
    run: () => {
      const found = problem()
      return found ? Promise.reject(found) : Promise.resolve()
    },
  }
}

function buildStep(name: string, directory: string, script: readonly string[], environment: readonly string[] = []): Step {
  return {
    name,
    after: ['system packages'],
    done: () => isPublished(directory),
    run: ({ logFile, signal }: StepContext) => {
      const options = { logFile, signal, timeoutMilliseconds: buildMilliseconds }
      return publish(directory, options, (output) => runCommand(['env', ...environment, 'sh', ...script, output], options))
    },
  }
}

/** Sandboxes' memory lies in it: nobody but root may look inside. */
function dataDirectoryStep(directory: string): Step {
  return {
    name: 'data directory',
    after: ['machine'],
    done: () => isPublished(path.join(directory, 'logs')),
    run: async () => {
      await mkdir(path.join(directory, 'logs'), { recursive: true, mode: 0o700 })
      await chmod(directory, 0o700)
    },
  }
}
