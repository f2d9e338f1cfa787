import { TorporError } from '@torpor/contract'

import type { BuildContext } from './template.ts'

/** A step as clients send it (protocol.md 2.3). */
export interface StepInput {
  readonly type: string
  readonly args: readonly string[]
  readonly filesHash?: string | undefined
  /** This one and all after it are run, whatever is known of them. */
  readonly force?: boolean | undefined
}

export interface RunStep {
  readonly type: 'RUN'
  readonly command: string
  /** undefined: the user of the context. */
  readonly user: string | undefined
}

export interface CopyStep {
  readonly type: 'COPY'
  /** Relative to the archive's root; may be a pattern. */
  readonly source: string
  readonly destination: string
  readonly user: string | undefined
  /** Octal digits; undefined: as in the archive. */
  readonly mode: string | undefined
  readonly filesHash: string
}

/** What it does to the files of the root: each of these has a layer. */
export type Work = RunStep | CopyStep

export type BuildStep = (Work | { readonly type: 'CONTEXT'; readonly apply: (context: BuildContext) => BuildContext }) & {
  /** For the log. */
  readonly title: string
  readonly force: boolean
}

const mostSteps = 1000
/** Images name theirs by number, too. */
const userPattern = /^(?:[a-z_][a-z0-9_.-]{0,31}\$?|\d{1,10})$/i
const variablePattern = /^[A-Za-z_][A-Za-z0-9_]*$/
/** Names of uploaded archives: the SDKs' are SHA-256 in hex. */
export const filesHashPattern = /^[A-Za-z0-9_-]{16,128}$/

/** Checks the steps of a build. @throws TorporError `invalid_argument` naming the step by its number. */
export function parseSteps(steps: readonly StepInput[]): BuildStep[] {
  if (steps.length > mostSteps) throw new TorporError('invalid_argument', `steps: at most ${mostSteps} are possible`)
  return steps.map((step, index) => {
    const refuse = (why: string): TorporError => new TorporError('invalid_argument', `steps.${index}: ${why}`)
    const title = `${step.type} ${step.args.filter((arg) => arg !== '').join(' ')}`
    return { ...parseStep(step, refuse), title, force: step.force ?? false }
  })
}

type Refuse = (why: string) => TorporError

function parseStep(step: StepInput, refuse: Refuse) {
  switch (step.type.toUpperCase()) {
    case 'RUN':
      return parseRun(step, refuse)
    case 'COPY':
    case 'ADD':
      return parseCopy(step, refuse)
    case 'ENV':
    case 'ARG':
      return { type: 'CONTEXT', apply: parseEnv(step, refuse) } as const
    case 'WORKDIR':
      return { type: 'CONTEXT', apply: parseWorkdir(step, refuse) } as const
    case 'USER': {
      const user = parseUser(step.args[0], refuse)
      return { type: 'CONTEXT', apply: (context: BuildContext) => ({ ...context, user }) } as const
    }
    default:
      throw refuse(`the type '${step.type.slice(0, 32)}' is not known: RUN, COPY, ENV, WORKDIR and USER are`)
  }
}

function parseRun({ args: [command, user] }: StepInput, refuse: Refuse): RunStep {
  if (command === undefined || command.trim() === '') throw refuse('RUN needs a command')
  return { type: 'RUN', command, user: user ? parseUser(user, refuse) : undefined }
}

function parseCopy({ args: [source, destination, user, mode], filesHash }: StepInput, refuse: Refuse): CopyStep {
  if (!source || !destination) throw refuse('COPY needs a source and a destination')
  if (filesHash === undefined || !filesHashPattern.test(filesHash)) throw refuse('COPY needs a filesHash')
  if (source.startsWith('/') || source.split('/').includes('..')) throw refuse('the source of COPY must lie within the context')
  if (mode && !/^0?[0-7]{1,4}$/.test(mode)) throw refuse('the mode of COPY must be octal digits, such as 755')
  return { type: 'COPY', source, destination, user: user ? parseUser(user, refuse) : undefined, mode: mode || undefined, filesHash }
}

function parseEnv({ args }: StepInput, refuse: Refuse) {
  if (args.length === 0 || args.length % 2 === 1) throw refuse('ENV needs pairs of a name and a value')
  const pairs = Array.from({ length: args.length / 2 }, (_, index) => [args[2 * index] ?? '', args[2 * index + 1] ?? ''] as const)
  const wrong = pairs.find(([name]) => !variablePattern.test(name))
  if (wrong) throw refuse(`'${wrong[0].slice(0, 64)}' cannot be the name of a variable`)
  // All values see the variables as they were before this step, as in a Dockerfile.
  return (context: BuildContext): BuildContext => ({
    ...context,
    env: { ...context.env, ...Object.fromEntries(pairs.map(([name, value]) => [name, expand(value, context)])) },
  })
}

function parseWorkdir({ args: [asked] }: StepInput, refuse: Refuse) {
  if (!asked) throw refuse('WORKDIR needs a path')
  return (context: BuildContext): BuildContext => ({ ...context, workdir: resolvePath(expand(asked, context), context) })
}

function parseUser(user: string | undefined, refuse: Refuse): string {
  if (user === undefined || !userPattern.test(user)) throw refuse('USER needs the name or the number of a user, without a group')
  return user
}

/** What chown is told: the user and its own group; a number may have no account, then the group has the same number, as in Docker. */
export const ownerOf = (user: string): string => (/^\d+$/.test(user) ? `${user}:${user}` : `${user}:`)

const home = (user: string): string => (user === 'root' ? '/root' : `/home/${user}`)

/** An absolute path, seen from the workdir and home of the context. */
export function resolvePath(asked: string, { user, workdir }: Pick<BuildContext, 'user' | 'workdir'>): string {
  const expanded = asked === '~' || asked.startsWith('~/') ? home(user) + asked.slice(1) : asked
  const parts = (expanded.startsWith('/') ? expanded : `${workdir}/${expanded}`).split('/')
  const kept: string[] = []
  for (const part of parts) {
    if (part === '..') kept.pop()
    else if (part !== '' && part !== '.') kept.push(part)
  }
  return `/${kept.join('/')}`
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** `$NAME` and `${NAME}` as a Dockerfile reads them; unknown ones are empty, `\$` stands for itself. */
export function expand(text: string, { env, user }: Pick<BuildContext, 'env' | 'user'>): string {
  const known: Readonly<Record<string, string>> = { PATH: defaultPath, HOME: home(user), USER: user, ...env }
  return text.replaceAll(/\\\$|\$(?:\{([A-Za-z_]\w*)\}|([A-Za-z_]\w*))/g, (match, braced?: string, bare?: string) =>
    match === String.raw`\$` ? '$' : (known[braced ?? bare ?? ''] ?? ''),
  )
}
