import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { newExecutionId } from '@torpor/contract'
import { type ExecutionSpec, openEgress } from '@torpor/core'
import { GvisorEngine } from '@torpor/engine-gvisor'
import { type Config, createLog, loadConfig } from '@torpor/server'
import { type Artifacts, plainReporter, prepareMachine } from '@torpor/setup'
import { sourceDirectory } from '@torpor/testkit'
import { type Volume, openVolume } from '@torpor/volume'

import type { EngineUnderTest } from './under-test.ts'

/** The real engine on a data directory of its own: images share blocks with memory, or bytes are copied. */
export async function gvisorUnderTest(mode: 'shared' | 'copied'): Promise<EngineUnderTest> {
  const root = await mkdtemp(path.join(tmpdir(), 'torpor-gvisor-'))
  const config = configFor(root)
  const artifacts = await readyArtifacts(config)
  const size = mode === 'shared' ? volumeMiB : 'off'
  const volume = await openVolume({ dataDirectory: config.dataDirectory, size, tell: () => undefined, searchPath: programs() })
  if (volume.shares !== (mode === 'shared')) throw new Error(`this machine cannot do it: ${volume.reason}`)
  let engine = await openEngine(config, artifacts, volume)
  return {
    get engine() {
      return engine
    },
    spec: () => specOn(artifacts, artifacts.rootfs.name),
    failingSpec: () => specOn(artifacts, 'no-such-rootfs'),
    stagingDirectory: () => mkdtemp(path.join(volume.directory, 'image-')),
    imageFrom: (directory, kind) => Promise.resolve({ name: directory, kind, engineVersion: engine.version }),
    removeImage: (image) => rm(image.name, { recursive: true }),
    crash: killSandboxProcess,
    reopen: async () => {
      await engine.close()
      engine = await openEngine(config, artifacts, volume)
    },
    close: async () => {
      await engine.close()
      await volume.close()
      await rm(root, { recursive: true })
    },
  }
}

const volumeMiB = 4096
const programs = (): string[] => (process.env['PATH'] ?? '').split(':')

function configFor(root: string): Config {
  const inherited = process.env['TORPOR_ARTIFACT_DIR']
  const settings = { TORPOR_DATA_DIR: path.join(root, 'data') }
  return loadConfig(inherited === undefined ? settings : { ...settings, TORPOR_ARTIFACT_DIR: inherited })
}

/** What this clone builds: there already after the first set-up. */
const readyArtifacts = (config: Config): Promise<Artifacts> =>
  prepareMachine(
    { ...config, sourceDirectory, searchPath: programs() },
    plainReporter(process.stderr),
    new AbortController().signal,
  )

const openEngine = (config: Config, { engineVersion }: Artifacts, volume: Volume): Promise<GvisorEngine> =>
  GvisorEngine.open({
    dataDirectory: config.dataDirectory,
    volume,
    diskReserveMiB: config.diskReserveMiB,
    artifactDirectory: config.artifactDirectory,
    engineVersion,
    network: config.network,
    allowPrivateNetworks: false,
    connectionsPerSandbox: 256,
    megabitsPerSandbox: 0,
    resolvers: [],
    pidsLimit: config.pidsLimit,
    totalMemoryBytes: config.maxMemoryMiB * 1024 * 1024,
    spareSlots: 2,
    locateImage: (image) => Promise.resolve(image.name),
    log: createLog({ level: 'error', format: 'json' }),
  })

const specOn = ({ agentHash }: Artifacts, rootfs: string): ExecutionSpec => ({
  execution: newExecutionId(),
  hostname: 'conformance',
  base: { rootfs, agent: agentHash },
  resources: { cpuCount: 1, memoryMiB: 256, diskMiB: 512 },
  egress: openEgress,
})

/** The runtime names the sandbox in the arguments of the process that carries it. */
async function killSandboxProcess(execution: string): Promise<void> {
  for (const pid of await sandboxProcesses(execution)) process.kill(pid, 'SIGKILL')
}

/** The process that is the execution's kernel. */
export const sandboxProcesses = (execution: string): Promise<number[]> =>
  processesWith((words) => words.includes('boot') && words.includes(execution))

/** The processes of this machine with certain command lines. */
export async function processesWith(match: (words: string[]) => boolean): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const lines = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))
  return pids.filter((_pid, index) => match((lines[index] ?? '').split('\0'))).map(Number)
}
