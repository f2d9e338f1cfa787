import { readFile, readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { type Occasion, type Requirement, findCommand, isAtLeast, isWish, missingRequirements, oldestGo } from './requirements.ts'
import { type Argv, CommandFailed, commandOutput, runCommand } from './run-command.ts'
import type { Step, StepContext } from './run-steps.ts'
import { SetupProblem } from './setup-problem.ts'

const installMilliseconds = 600_000
const backportsFile = '/etc/apt/sources.list.d/torpor-backports.list'

export interface SystemPackagesOptions {
  /** What this start needs beyond what every one does. */
  readonly occasion: () => Occasion
  /** The awk program that lists Debian's sources of this machine. */
  readonly sourcesProgram: string
  /** The directories of PATH. */
  readonly searchPath: readonly string[]
}

/** Installs the Debian packages that are missing; on other systems it says what to install. */
export function systemPackagesStep({ occasion, sourcesProgram, searchPath }: SystemPackagesOptions): Step {
  return {
    name: 'system packages',
    after: ['machine'],
    done: async () => (await missingRequirements(occasion(), searchPath)).length === 0,
    run: async (context) => {
      const missing = await missingRequirements(occasion(), searchPath)
      const [needed, wished] = [missing.filter((requirement) => !isWish(requirement)), missing.filter(isWish)]
      const canInstall = findCommand('apt-get', searchPath) !== undefined
      if (needed.length > 0) {
        if (!canInstall) throw cannotInstall(needed)
        await install(needed, sourcesProgram, context)
        const left = await missingRequirements({ ...occasion(), localNames: false, volume: false }, searchPath)
        if (left.length > 0) throw cannotInstall(left)
      }
      if (wished.length > 0) await wish(wished, canInstall, sourcesProgram, context)
    },
  }
}

/** Installs what can be done without; where that fails, it says so and goes on. */
async function wish(wished: readonly Requirement[], canInstall: boolean, sourcesProgram: string, context: StepContext): Promise<void> {
  try {
    if (!canInstall) throw cannotInstall(wished)
    await install(wished, sourcesProgram, context)
  } catch (error) {
    if (context.signal.aborted) throw error
    const list = wished.map(({ packages, purpose }) => `${packages.join(' ')} (to ${purpose})`).join(', ')
    context.note(`going on without ${list}: ./torpor doctor says what does not work then`)
  }
}

function cannotInstall(missing: readonly Requirement[]): SetupProblem {
  const list = missing.map(({ provides, purpose }) => `${provides} (needed to ${purpose})`).join(', ')
  const packages = missing.flatMap((requirement) => requirement.packages).join(' ')
  return new SetupProblem(`this system lacks ${list}`, {
    mend: `install them with the system's package manager; Debian's names are: ${packages}`,
  })
}

async function install(missing: readonly Requirement[], sourcesProgram: string, context: StepContext): Promise<void> {
  const packages = missing.flatMap((requirement) => requirement.packages)
  const fromBackports = packages.includes('golang-go') && !(await offersRecentGo(context))
  if (fromBackports) await addBackports(sourcesProgram, context)
  context.note(`installing Debian packages: ${packages.join(', ')}`)
  const release: readonly string[] = fromBackports ? ['-t', 'bookworm-backports'] : []
  // Only Go, which Debian cuts into several packages, is to come from backports.
  const goPackages = fromBackports ? ['golang-go', 'golang-src'] : []
  await aptInstall(
    packages.filter((name) => !goPackages.includes(name)),
    [],
    context,
  )
  await aptInstall(goPackages, release, context)
}

async function aptInstall(packages: readonly string[], options: readonly string[], context: StepContext): Promise<void> {
  if (packages.length === 0) return
  const arguments_ = ['install', '-y', '--no-install-recommends', ...options, ...packages]
  if ((await commandOutput(['apt-get', '--simulate', ...arguments_])) === undefined) await apt(['update'], context)
  try {
    await apt(arguments_, context)
  } catch (error) {
    // The lists of packages may be older than the mirror.
    if (!(error instanceof CommandFailed) || context.signal.aborted) throw error
    await apt(['update'], context)
    await apt(arguments_, context)
  }
}

async function apt(args: readonly string[], context: StepContext): Promise<void> {
  const argv: Argv = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-o', 'DPkg::Lock::Timeout=120', ...args]
  await runCommand(argv, { logFile: context.logFile, signal: context.signal, timeoutMilliseconds: installMilliseconds })
}

/** Whether the release that the machine follows has a Go that is new enough. */
async function offersRecentGo(context: StepContext): Promise<boolean> {
  let policy = await commandOutput(['apt-cache', 'policy', 'golang-go'])
  if (!/Candidate: \d/.test(policy ?? '')) {
    await apt(['update'], context)
    policy = await commandOutput(['apt-cache', 'policy', 'golang-go'])
  }
  const candidate = /Candidate: (\S+)/.exec(policy ?? '')?.[1]
  return candidate !== undefined && isAtLeast(candidate, oldestGo)
}

/** Debian bookworm's own Go is too old; its backports stand on the same mirror as the rest. */
async function addBackports(sourcesProgram: string, context: StepContext): Promise<void> {
  const entry = backportsEntry((await debianSources(sourcesProgram)) ?? '')
  if (entry === undefined) {
    throw new SetupProblem(`this system offers no Go ${oldestGo} or newer`, {
      mend: 'install a current Go by hand, so that `go` is on the PATH',
    })
  }
  context.note(`adding Debian's backports for Go: ${backportsFile}`)
  await writeFile(backportsFile, `${entry}\n`, { mode: 0o644 })
  await apt(['update'], context)
}

/** The source line of bookworm's backports, made from the machine's own sources; undefined when it has none of bookworm. */
export function backportsEntry(sources: string): string | undefined {
  const main = sources.split('\n').find((line) => line.endsWith(' bookworm main'))
  return main?.replace(' bookworm main', ' bookworm-backports main')
}

async function debianSources(sourcesProgram: string): Promise<string | undefined> {
  const listed = await readdir('/etc/apt/sources.list.d').catch(() => [])
  const files = ['/etc/apt/sources.list', ...listed.map((name) => path.join('/etc/apt/sources.list.d', name))]
  const readable = await Promise.all(
    files.filter((file) => /\.(list|sources)$/.test(file)).map(async (file) => ((await isReadable(file)) ? [file] : [])),
  )
  const existing = readable.flat()
  return existing.length === 0 ? undefined : commandOutput(['awk', '-f', sourcesProgram, ...existing])
}

const isReadable = (file: string): Promise<boolean> =>
  readFile(file).then(
    () => true,
    () => false,
  )
