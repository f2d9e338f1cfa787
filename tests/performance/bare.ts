import { execFile } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { mkdir, open, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

import { createAgentClient } from '@torpor/agent-client'
import { type ExecutionSpec, openEgress } from '@torpor/core'
import type { Artifacts } from '@torpor/setup'

import { HostProcess } from '../../packages/engine-gvisor/src/host/host-process.ts'
import { createNamespace, deleteNamespace } from '../../packages/engine-gvisor/src/network/namespace.ts'
import { type Slot, planNetwork, slotOf } from '../../packages/engine-gvisor/src/network/plan.ts'
import { ociSpec } from '../../packages/engine-gvisor/src/oci-spec.ts'

const run = promisify(execFile)
const mebibyte = 1024 * 1024

/** A prepared but not yet started execution. */
export interface Prepared {
  readonly execution: string
  readonly slot: Slot
  readonly body: { execution: string; bundle: string; overlayDirectory: string; diskBytes: number }
}

/** The yardsticks: torpor-engine without a platform around it, and the runtime's command line, on the same image. */
export class Bare implements AsyncDisposable {
  readonly directory: string
  readonly host: HostProcess
  readonly #artifacts: Artifacts
  readonly #plan = planNetwork('10.219.0.0/16', 15)
  readonly #agent = createAgentClient()
  #next = 1

  constructor(directory: string, artifacts: Artifacts) {
    mkdirSync(directory, { recursive: true })
    this.directory = directory
    this.#artifacts = artifacts
    this.host = new HostProcess({
      engineDirectory: artifacts.engineDir,
      version: artifacts.engineVersion,
      runDirectory: path.join(directory, 'run'),
      logFile: path.join(directory, 'engine.log'),
    })
  }

  /** Everything that is no business of the engine: namespace, bundle, directories. */
  async prepare(memoryMiB: number, rootfs = this.#artifacts.rootfs.directory): Promise<Prepared> {
    const slot = slotOf(this.#plan, this.#next)
    this.#next += 1
    await createNamespace(slot)
    const execution = `bare${slot.index}`
    const resources = { cpuCount: 2, memoryMiB, diskMiB: 20_480 }
    const base = { rootfs: this.#artifacts.rootfs.name, agent: this.#artifacts.agentHash }
    const spec: ExecutionSpec = { execution, hostname: execution, base, resources, egress: openEgress }
    const bundle = path.join(this.directory, execution)
    await mkdir(path.join(bundle, 'overlay'), { recursive: true })
    const places = {
      rootfs,
      agentDirectory: this.#artifacts.agentDir,
      namespacePath: slot.namespacePath,
      cgroup: `/torpor-bench/${execution}`,
      pidsLimit: 4096,
      overheadMiB: 96,
    }
    await writeFile(path.join(bundle, 'config.json'), JSON.stringify(ociSpec(spec, places)))
    const body = { execution, bundle, overlayDirectory: path.join(bundle, 'overlay'), diskBytes: resources.diskMiB * mebibyte }
    return { execution, slot, body }
  }

  async restore(prepared: Prepared, image: string): Promise<void> {
    await this.host.call('restore', { ...prepared.body, image })
    await this.#agent.healthy(prepared.slot.address, 30_000)
  }

  /** Freezes it and writes its memory image, which is removed again. */
  async capture({ execution }: Prepared, directory: string): Promise<number> {
    await mkdir(directory, { recursive: true })
    await this.host.call('waitRestored', { execution })
    const started = performance.now()
    await this.host.call('freeze', { execution })
    await this.host.call('capture', { execution, directory, direct: true })
    const milliseconds = performance.now() - started
    await rm(directory, { recursive: true })
    return milliseconds
  }

  async destroy({ execution, slot }: Prepared): Promise<void> {
    await this.host.call('destroy', { execution })
    await deleteNamespace(slot.namespace, slot.hostInterface)
    await rm(path.join(this.directory, execution), { recursive: true, force: true })
  }

  /** The same by `create` and `restore` of the runtime's own command line. */
  async restoreByCommandLine(prepared: Prepared, image: string): Promise<void> {
    await this.#runtime(prepared, 'create', '--bundle', prepared.body.bundle, prepared.execution)
    await this.#runtime(prepared, 'restore', '--detach', '--background', '--image-path', image, prepared.execution)
    await this.#agent.healthy(prepared.slot.address, 30_000)
  }

  async destroyByCommandLine(prepared: Prepared): Promise<void> {
    await this.#runtime(prepared, 'delete', '--force', prepared.execution)
    await deleteNamespace(prepared.slot.namespace, prepared.slot.hostInterface)
  }

  /** The runtime hands its standard streams on to the sandbox: files, never pipes. */
  async #runtime(prepared: Prepared, ...args: string[]): Promise<void> {
    const flags = [
      `--root=${path.join(this.directory, 'cli')}`,
      '--platform=systrap',
      '--network=sandbox',
      '--allow-suid',
      '--allow-live-tcp-migration=false',
      `--overlay2=root:dir=${prepared.body.overlayDirectory},size=${prepared.body.diskBytes}`,
    ]
    const program = path.join(this.#artifacts.engineDir, 'torpor-engine')
    await run('sh', ['-c', 'exec "$@" </dev/null >/dev/null 2>>"$0"', path.join(this.directory, 'cli.log'), program, ...flags, ...args])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.host[Symbol.asyncDispose]()
    // The command line pins a namespace there and leaves it.
    await run('umount', [path.join(this.directory, 'cli', 'null-netns')]).catch(() => undefined)
    await rm(this.directory, { recursive: true, force: true })
  }
}

/** Writes and syncs as many bytes to the same disk: what any pause must at least do. */
export async function plainWrite(file: string, bytes: number): Promise<void> {
  try {
    await plainFile(file, bytes)
  } finally {
    await rm(file)
  }
}

/** A synced file of so many bytes; whole blocks of 4 MiB. */
export async function plainFile(file: string, bytes: number): Promise<void> {
  const block = Buffer.alloc(4 * mebibyte, 'torpor')
  await using handle = await open(file, 'w')
  for (let written = 0; written < bytes; written += block.length) await handle.write(block)
  await handle.sync()
}

/** Runs a command straight at the agent, without edge or SDK, until its end event. */
export async function commandAt(address: string, command: string, token?: string): Promise<void> {
  const message = Buffer.from(JSON.stringify({ process: { cmd: '/bin/bash', args: ['-l', '-c', command] }, stdin: false }))
  const envelope = Buffer.alloc(5)
  envelope.writeUInt32BE(message.length, 1)
  const headers = { 'content-type': 'application/connect+json', 'connect-protocol-version': '1', ...(token && { 'x-access-token': token }) }
  const answer = await fetch(`http://${address}:49983/process.Process/Start`, {
    method: 'POST',
    headers,
    body: Buffer.concat([envelope, message]),
  })
  const text = await answer.text()
  if (!text.includes('"end"')) throw new Error(`the command did not end: ${text}`)
}
