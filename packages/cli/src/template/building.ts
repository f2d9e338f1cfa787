import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'

import type { LogEntry, TemplateBuilder, TemplateClass } from 'e2b'

import { exitCodes } from '../exit-codes.ts'
import { print } from '../output/print.ts'
import { harmless } from '../output/table.ts'
import type { ConnectionFlags } from '../remote/connection.ts'
import { RemoteProblem } from '../remote/problem.ts'
import { withSession } from '../remote/session.ts'
import { type BuildFlags, type Recipe, readRecipe } from './recipe.ts'

type Flags = ConnectionFlags & BuildFlags & { readonly json?: boolean; readonly cache?: boolean; readonly tag?: readonly string[] }

/** What both products document for a start command without a ready command. */
const asDocumented = 'sleep 20'

/** Builds the Dockerfile of a directory, with its log on standard error; prints the template's id. */
export async function buildTemplate(asked: string | undefined, flags: Flags): Promise<void> {
  const recipe = readRecipe(asked, flags)
  for (const ignored of recipe.plan.ignored) note(`${ignored} changes nothing in a sandbox`)
  await withSession(flags, async ({ sdk }) => {
    const { Template } = await import('e2b')
    const template = compose(Template({ fileContextPath: recipe.directory }).fromImage(recipe.plan.fromImage), recipe)
    const built = await Template.build(template, recipe.name, {
      ...sdk,
      skipCache: flags.cache === false,
      onBuildLogs: tell,
      ...(flags.tag && { tags: [...flags.tag] }),
      ...(recipe.cpuCount !== undefined && { cpuCount: recipe.cpuCount }),
      ...(recipe.memoryMb !== undefined && { memoryMB: recipe.memoryMb }),
    }).catch(failed)
    print(flags.json, { template: built.templateId, build: built.buildId, name: recipe.name }, () => `${built.templateId}\n`)
  })
}

/** The plan in the words of the SDK, which packs and uploads the files. */
function compose(begun: TemplateBuilder, { plan, startCmd, readyCmd }: Recipe): TemplateClass {
  let template = begun
  for (const { type, args } of plan.steps) template = step(template, type, args)
  if (startCmd !== undefined) return template.setStartCmd(startCmd, readyCmd ?? asDocumented)
  return readyCmd === undefined ? template : template.setReadyCmd(readyCmd)
}

function step(template: TemplateBuilder, type: Recipe['plan']['steps'][number]['type'], args: readonly string[]): TemplateBuilder {
  const [first = '', second = '', user = '', mode = ''] = args
  switch (type) {
    case 'RUN':
      return template.runCmd(first)
    case 'COPY':
      return template.copy(first, second, { ...(user && { user }), ...(mode && { mode: Number.parseInt(mode, 8) }) })
    case 'ENV':
      return template.setEnvs(Object.fromEntries(pairsOf(args)))
    case 'WORKDIR':
      return template.setWorkdir(first)
    case 'USER':
      return template.setUser(first)
  }
}

const pairsOf = (words: readonly string[]): [string, string][] =>
  words.flatMap((word, index) => (index % 2 === 0 ? [[word, words[index + 1] ?? '']] : []))

const note = (text: string): void => void process.stderr.write(`${harmless(text.trimEnd())}\n`)
const tell = ({ level, message }: LogEntry): void => note(level === 'info' ? message : `${level}: ${message}`)

/** @throws RemoteProblem: why the build ended, as the server says it; anything else as it is. */
function failed(error: unknown): never {
  if (error instanceof Error && error.name === 'BuildError')
    throw new RemoteProblem(`the build failed: ${error.message}`, exitCodes.failed, { cause: error })
  throw error
}

const dockerfile = `FROM e2bdev/base
# What your sandboxes need, for instance:
# RUN apt-get update && apt-get install -y ffmpeg
# COPY app /home/user/app
`

/** Writes what `template build` reads; never over what is there. */
export function initTemplate(family: 'e2b' | 'novita', { path: asked, name }: { readonly path?: string; readonly name?: string }): void {
  const directory = path.resolve(asked ?? '.')
  const config = `template_name = ${JSON.stringify(
    name ??
      path
        .basename(directory)
        .toLowerCase()
        .replaceAll(/[^a-z0-9-]+/g, '-'),
  )}\ndockerfile = "${family}.Dockerfile"\n`
  const files = { [`${family}.Dockerfile`]: dockerfile, [`${family}.toml`]: config }
  for (const file of Object.keys(files)) {
    if (existsSync(path.join(directory, file))) throw new RemoteProblem(`${path.join(directory, file)} is there already`, exitCodes.usage)
  }
  for (const [file, content] of Object.entries(files)) {
    writeFileSync(path.join(directory, file), content, { flag: 'wx' })
    process.stdout.write(`${path.join(directory, file)}\n`)
  }
}
