import { lookup } from 'node:dns/promises'
import { accessSync, constants, existsSync } from 'node:fs'
import path from 'node:path'

import { commandOutput } from './run-command.ts'

/** Something of the system that Torpor does not bring itself. */
export interface Requirement {
  /** The command, the absolute path of the file, or the names (`*.localhost`) that have to be there. */
  readonly provides: string
  /** Debian packages that bring it. */
  readonly packages: readonly string[]
  /** `build`: only while something has to be built; `run`: at every start. */
  /** `names`: at every start whose sandboxes have names below localhost; it goes on without. */
  /** `volume`: at every start that has to do with a volume in a file; it goes on without. */
  readonly when: 'build' | 'run' | 'names' | 'volume'
  /** What cannot be done without it, as the end of "needed to …". */
  readonly purpose: string
}

export const requirements: readonly Requirement[] = [
  { provides: 'ip', packages: ['iproute2'], when: 'run', purpose: 'give sandboxes their network' },
  { provides: 'nft', packages: ['nftables'], when: 'run', purpose: 'keep sandboxes apart on the network' },
  { provides: 'mkfs.xfs', packages: ['xfsprogs'], when: 'volume', purpose: 'make the volume whose files share blocks' },
  { provides: '/etc/ssl/certs/ca-certificates.crt', packages: ['ca-certificates'], when: 'build', purpose: 'download over TLS' },
  { provides: 'mmdebstrap', packages: ['mmdebstrap'], when: 'build', purpose: 'build the template base' },
  {
    provides: '/usr/share/keyrings/debian-archive-keyring.gpg',
    packages: ['debian-archive-keyring'],
    when: 'build',
    purpose: "check Debian's signatures",
  },
  { provides: 'npm', packages: ['npm'], when: 'build', purpose: 'put Node into the template base' },
  { provides: 'go', packages: ['golang-go'], when: 'build', purpose: 'build torpor-engine and the agent' },
  {
    provides: '*.localhost',
    packages: ['libnss-myhostname'],
    when: 'names',
    purpose: 'find sandboxes by their host names on this machine',
  },
  { provides: 'cc', packages: ['gcc', 'libc6-dev'], when: 'build', purpose: 'build the part that starts sandboxes sooner' },
]

/** From this release on Go fetches by itself the toolchain that a module asks for. */
export const oldestGo = '1.21'

/** The file that `command` would run, given the directories of PATH; undefined when there is none. */
export function findCommand(command: string, searchPath: readonly string[]): string | undefined {
  return searchPath.map((directory) => path.join(directory, command)).find((file) => isExecutable(file))
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** What a start is about to do. */
export interface Occasion {
  /** Something has still to be built. */
  readonly building: boolean
  /** Sandboxes have names below localhost. */
  readonly localNames: boolean
  /** Images lie, or will lie, in a volume in a file. */
  readonly volume: boolean
}

/** Whether a start goes on when it is missing. */
export const isWish = ({ when }: Requirement): boolean => when === 'names' || when === 'volume'

/** The requirements of the occasion that are not met by what is on `searchPath`. */
export async function missingRequirements(occasion: Occasion, searchPath: readonly string[]): Promise<Requirement[]> {
  const missing: Requirement[] = []
  for (const requirement of requirements) {
    if (isDue(requirement, occasion) && !(await isMet(requirement, searchPath))) missing.push(requirement)
  }
  return missing
}

const isDue = ({ when }: Requirement, { building, localNames, volume }: Occasion): boolean =>
  when === 'run' || (when === 'build' && building) || (when === 'names' && localNames) || (when === 'volume' && volume)

async function isMet({ provides }: Requirement, searchPath: readonly string[]): Promise<boolean> {
  if (provides.startsWith('/')) return existsSync(provides)
  if (provides.startsWith('*')) return resolves(provides.replace('*', 'torpor'))
  const file = findCommand(provides, searchPath)
  if (file === undefined) return false
  return provides !== 'go' || isRecentGo(await commandOutput([file, 'version']))
}

/** As programs of this machine do it that ask the C library, Node and Python among them. */
export const resolves = (name: string): Promise<boolean> =>
  lookup(name).then(
    () => true,
    () => false,
  )

/** Whether the answer of `go version` tells of a Go that is new enough. */
export function isRecentGo(answer: string | undefined): boolean {
  const release = /\bgo(\d+\.\d+)/.exec(answer ?? '')?.[1]
  return release !== undefined && isAtLeast(release, oldestGo)
}

/** Compares the first two numbers of versions such as `1.23` or Debian's `2:1.19~1`. */
export function isAtLeast(version: string, oldest: string): boolean {
  const numbers = (text: string): number[] => (/(?:\d+:)?(\d+)\.(\d+)/.exec(text) ?? []).slice(1).map(Number)
  const [major = 0, minor = 0] = numbers(version)
  const [oldestMajor = 0, oldestMinor = 0] = numbers(oldest)
  return major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)
}
