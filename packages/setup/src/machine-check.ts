import { existsSync, readFileSync, statfsSync } from 'node:fs'
import path from 'node:path'

import { SetupProblem } from './setup-problem.ts'

/** What was seen of this machine. */
export interface MachineFacts {
  readonly platform: string
  readonly architecture: string
  readonly userId: number
  /** Bytes that may still be written where artifacts are kept. */
  readonly freeBytes: number
  readonly missingControllers: readonly string[]
}

const gibibyte = 1024 ** 3

/** Free space that a first build of everything may need, with room for the first sandboxes. */
export const buildBytes = 6 * gibibyte

const neededControllers = ['cpu', 'memory', 'pids'] as const

/** What keeps this machine from carrying sandboxes; undefined when nothing does. */
export function machineProblem(facts: MachineFacts, building: boolean): SetupProblem | undefined {
  const { platform, architecture } = facts
  if (platform !== 'linux') return new SetupProblem(`Torpor runs on Linux, this is ${platform}`, { mend: 'use a Linux machine' })
  if (architecture !== 'x64' && architecture !== 'arm64') {
    return new SetupProblem(`Torpor runs on x86_64 and aarch64, this is ${architecture}`, {
      mend: 'use a machine of one of these architectures',
    })
  }
  if (facts.userId !== 0) return new SetupProblem('sandboxes are made as root', { mend: 'sudo ./torpor up' })
  if (facts.missingControllers.length > 0) {
    return new SetupProblem(`the kernel's cgroup controllers are not available: ${facts.missingControllers.join(', ')}`, {
      mend: 'mount -t cgroup2 none /sys/fs/cgroup (in a container: run it on the host, or with --privileged --cgroupns=host)',
    })
  }
  if (building && facts.freeBytes < buildBytes) {
    return new SetupProblem(`too little disk space: ${(facts.freeBytes / gibibyte).toFixed(1)} GiB are free, the first start needs 6 GiB`, {
      mend: 'free some, or set TORPOR_ARTIFACT_DIR and TORPOR_DATA_DIR to directories on a larger disk',
    })
  }
  return undefined
}

/** Looks at this machine; `artifactDirectory` need not exist yet. */
export function machineFacts(artifactDirectory: string): MachineFacts {
  return {
    platform: process.platform,
    architecture: process.arch,
    userId: process.geteuid?.() ?? -1,
    freeBytes: freeBytes(artifactDirectory),
    missingControllers: missingControllers(),
  }
}

/** Bytes that root may still write to the file system that holds, or would hold, `directory`. */
export function freeBytes(directory: string): number {
  let existing = path.resolve(directory)
  while (!existsSync(existing)) existing = path.dirname(existing)
  const { bavail, bsize } = statfsSync(existing)
  return bavail * bsize
}

/** Which version of control groups is mounted, and which controllers Torpor needs but does not find. */
export function cgroupSupport(root = '/sys/fs/cgroup'): { version: 'v1' | 'v2' | 'none'; missing: string[] } {
  const unified = path.join(root, 'cgroup.controllers')
  if (existsSync(unified)) {
    const available = readFileSync(unified, 'utf8').trim().split(' ')
    return { version: 'v2', missing: neededControllers.filter((name) => !available.includes(name)) }
  }
  const missing = neededControllers.filter((name) => !existsSync(path.join(root, name, 'cgroup.procs')))
  return { version: missing.length === neededControllers.length ? 'none' : 'v1', missing }
}

const missingControllers = (): string[] => (process.platform === 'linux' ? cgroupSupport().missing : [])
