import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'

import { DockerfileError, type DockerfilePlan, planDockerfile } from '@torpor/dockerfile'
import { parse } from 'smol-toml'
import { z } from 'zod'

import { exitCodes } from '../exit-codes.ts'
import { RemoteProblem } from '../remote/problem.ts'

/** What the command line says of a build; it counts before the file. */
export interface BuildFlags {
  readonly path?: string
  readonly dockerfile?: string
  readonly config?: string
  readonly name?: string
  readonly cmd?: string
  readonly readyCmd?: string
  readonly dockerCmd?: boolean
  readonly cpuCount?: number
  readonly memoryMb?: number
  readonly buildArg?: Readonly<Record<string, string>>
  /** The stage that becomes the template. */
  readonly target?: string
  readonly tag?: readonly string[]
}

/** A template to be built. */
export interface Recipe {
  readonly name: string
  /** COPY takes its files from here. */
  readonly directory: string
  readonly dockerfile: string
  readonly plan: DockerfilePlan
  readonly startCmd: string | undefined
  readonly readyCmd: string | undefined
  readonly cpuCount: number | undefined
  readonly memoryMb: number | undefined
  /** Beside the one in its name. */
  readonly tags: readonly string[] | undefined
}

/** What both families' command lines write (protocol.md 6.1); other keys are of no use here. */
const file = z.object({
  template_id: z.string().optional(),
  template_name: z.string().optional(),
  dockerfile: z.string().optional(),
  start_cmd: z.string().optional(),
  ready_cmd: z.string().optional(),
  cpu_count: z.int().positive().optional(),
  memory_mb: z.int().positive().optional(),
})

const families = ['e2b', 'novita'] as const

/** @throws RemoteProblem naming the file, and the line of a Dockerfile, before anything runs. */
export function readRecipe(asked: string | undefined, flags: BuildFlags): Recipe {
  const directory = path.resolve(flags.path ?? '.')
  const config = readConfig(directory, flags.config)
  const name = asked ?? flags.name ?? config.template_name ?? config.template_id
  if (name === undefined) throw refused('the template has no name', 'name it: template build NAME, or template_name in e2b.toml')
  const dockerfile = findDockerfile(directory, flags.dockerfile ?? config.dockerfile)
  const plan = planOf(dockerfile, flags)
  return {
    name,
    directory,
    dockerfile,
    plan,
    startCmd: flags.cmd ?? config.start_cmd ?? (flags.dockerCmd === true ? plan.startCmd : undefined),
    readyCmd: flags.readyCmd ?? config.ready_cmd,
    cpuCount: flags.cpuCount ?? config.cpu_count,
    memoryMb: flags.memoryMb ?? config.memory_mb,
    tags: flags.tag,
  }
}

function readConfig(directory: string, asked: string | undefined): z.infer<typeof file> {
  const places = asked === undefined ? families.map((family) => path.join(directory, `${family}.toml`)) : [path.resolve(asked)]
  const place = places.find(existsSync)
  if (place === undefined && asked !== undefined) throw refused(`there is no ${asked}`)
  if (place === undefined) return {}
  try {
    return file.parse(parse(read(place)))
  } catch (error) {
    const issue = error instanceof z.ZodError ? error.issues[0] : undefined
    const why = issue ? `${issue.path.join('.')}: ${issue.message}` : String(error instanceof Error ? error.message : error)
    throw refused(`${place} cannot be understood: ${why}`)
  }
}

function findDockerfile(directory: string, asked: string | undefined): string {
  const names = asked === undefined ? [...families.map((family) => `${family}.Dockerfile`), 'Dockerfile'] : [asked]
  const place = names.map((name) => path.resolve(directory, name)).find(existsSync)
  if (place !== undefined) return place
  throw refused(`there is no ${names.join(', ')} in ${directory}`, 'torpor template init writes one; --path and --dockerfile name another')
}

function planOf(dockerfile: string, { buildArg: buildArguments, target }: BuildFlags): DockerfilePlan {
  try {
    return planDockerfile(read(dockerfile), { buildArguments, target })
  } catch (error) {
    if (error instanceof DockerfileError)
      throw refused(error.message.replace('Dockerfile', dockerfile), 'docs/templates.md says what is supported')
    throw error
  }
}

function read(place: string): string {
  try {
    return readFileSync(place, 'utf8')
  } catch (error) {
    throw new RemoteProblem(`${place} cannot be read`, exitCodes.usage, { cause: error })
  }
}

const refused = (message: string, mend?: string): RemoteProblem =>
  new RemoteProblem(message, exitCodes.usage, mend === undefined ? {} : { mend })
