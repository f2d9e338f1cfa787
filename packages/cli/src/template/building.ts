import { existsSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'

import type { LogEntry } from 'e2b'

import { exitCodes } from '../exit-codes.ts'
import { print } from '../output/print.ts'
import { harmless } from '../output/table.ts'
import type { ConnectionFlags } from '../remote/connection.ts'
import { RemoteProblem } from '../remote/problem.ts'
import { withSession } from '../remote/session.ts'
import { type BuildFlags, readRecipe } from './recipe.ts'

type Flags = ConnectionFlags & BuildFlags & { readonly json?: boolean; readonly cache?: boolean }

/** Builds the Dockerfile of a directory, with its log on standard error; prints the template's id. */
export async function buildTemplate(asked: string | undefined, flags: Flags): Promise<void> {
  const recipe = readRecipe(asked, flags)
  for (const ignored of recipe.plan.ignored) note(`${ignored} changes nothing in a sandbox`)
  await withSession(flags, async ({ sdk }) => {
    const { buildStages } = await import('./build-stages.ts')
    const titles = new Map<string, string>()
    const readable = (text: string): string => [...titles].reduce((made, [command, title]) => made.replaceAll(command, title), text)
    const build = {
      ...sdk,
      skipCache: flags.cache === false,
      onBuildLogs: ({ level, message }: LogEntry) => note(`${level === 'info' ? '' : `${level}: `}${readable(message)}`),
      ...(recipe.cpuCount !== undefined && { cpuCount: recipe.cpuCount }),
      ...(recipe.memoryMb !== undefined && { memoryMB: recipe.memoryMb }),
    }
    const call = (command: string, title: string): void => void titles.set(command, title)
    const built = await buildStages(recipe, { build, call }).catch((error: unknown) => failed(error, readable))
    print(flags.json, { template: built.templateId, build: built.buildId, name: recipe.name }, () => `${built.templateId}\n`)
  })
}

const note = (text: string): void => void process.stderr.write(`${harmless(text.trimEnd())}\n`)

/** @throws RemoteProblem: why the build ended, as the server says it; anything else as it is. */
function failed(error: unknown, readable: (text: string) => string): never {
  if (error instanceof Error && error.name === 'BuildError')
    throw new RemoteProblem(`the build failed: ${readable(error.message)}`, exitCodes.failed, { cause: error })
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
