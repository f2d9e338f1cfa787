import { createHash } from 'node:crypto'
import { createWriteStream, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'

import type { DockerfileStage, DockerfileStep } from '@torpor/dockerfile'
import { type BuildInfo, type BuildOptions, Sandbox, Template, type TemplateBuilder } from 'e2b'

import { exitCodes } from '../exit-codes.ts'
import { RemoteProblem } from '../remote/problem.ts'
import { packCommand, packed } from './archives.ts'
import { type Sources, type Taken, compose, partsOf } from './compose.ts'
import type { Recipe } from './recipe.ts'

/** Ends a sandbox whose client was killed. */
const fetchMilliseconds = 15 * 60_000
/** What both products document for a start command without a ready command. */
const asDocumented = 'sleep 20'

/** What holds for every build of a recipe. `call` hears what the log should call a command of ours. */
export interface StageOptions {
  readonly build: Omit<BuildOptions, 'alias'>
  readonly call: Sources['call']
}

/**
 * Builds the stages of a recipe, the last one as its template. Those before it, and parts of it, are builds of the same template under
 * tags of their own, which are removed at the end, whatever it is; their layers stay, so that no step is run twice.
 */
export async function buildStages(recipe: Recipe, options: StageOptions): Promise<BuildInfo> {
  const work = new StageWork(recipe, options)
  try {
    return await work.build()
  } finally {
    await work.end()
  }
}

class StageWork {
  readonly #recipe: Recipe
  readonly #options: StageOptions
  /** Holds what was taken out of stages. */
  readonly #archives = mkdtempSync(path.join(tmpdir(), 'torpor-stages-'))
  readonly #taken = new Map<DockerfileStep, Taken>()
  readonly #tags: string[] = []

  constructor(recipe: Recipe, options: StageOptions) {
    this.#recipe = recipe
    this.#options = options
  }

  async build(): Promise<BuildInfo> {
    const { stages } = this.#recipe.plan
    for (const [place, stage] of stages.entries()) {
      if (place === stages.length - 1) return this.#last(stage)
      const wanted = stages.flatMap(({ steps }) => steps.filter(({ from }) => from === place))
      await this.#take(stage, wanted)
    }
    throw new Error('a plan has a stage')
  }

  async end(): Promise<void> {
    rmSync(this.#archives, { recursive: true, force: true })
    if (this.#tags.length === 0) return
    // What is left over is a tag, which the next build of the template takes again.
    await Template.removeTags(this.#ownName, this.#tags, this.#options.build).catch(() => undefined)
  }

  /** Without a tag. */
  get #ownName(): string {
    return this.#recipe.name.split(':')[0] ?? ''
  }

  async #last(stage: DockerfileStage): Promise<BuildInfo> {
    const { startCmd, readyCmd, name, tags } = this.#recipe
    const template = await this.#composed(stage)
    const options = { ...this.#options.build, ...(tags && { tags: [...tags] }) }
    if (startCmd !== undefined) return Template.build(template.setStartCmd(startCmd, readyCmd ?? asDocumented), name, options)
    return Template.build(readyCmd === undefined ? template : template.setReadyCmd(readyCmd), name, options)
  }

  /** Builds a stage and brings here what others copy from it. */
  async #take(stage: DockerfileStage, wanted: readonly DockerfileStep[]): Promise<void> {
    // Images of a single program, which are there to be copied from, have nothing that could pack it.
    if (!stage.steps.some(({ type }) => type === 'RUN' || type === 'COPY' || type === 'ADD')) {
      const built = await this.#hidden(await this.#composed(stage))
      if (await this.#inside(built, (sandbox) => this.#takeFiles(sandbox, stage, wanted))) return
    }
    const sources = new Map(wanted.map(({ args: [source = ''] }) => [nameOf(stage, source), source]))
    let template = await this.#composed(stage)
    for (const [name, source] of sources) {
      const command = packCommand(name, source)
      this.#options.call(command, `pack /${source} of stage ${stage.name}`)
      template = template.runCmd(command, { user: 'root' })
    }
    const built = await this.#hidden(template)
    const kinds = await this.#fetch(built, [...sources.keys()])
    for (const step of wanted) {
      const name = nameOf(stage, step.args[0] ?? '')
      this.#taken.set(step, { archive: `${name}.tar`, isFile: kinds.get(name) === 'file' })
    }
  }

  /** All but the end of a stage is built when this returns: one template of the SDK takes its files from one directory. */
  async #composed(stage: DockerfileStage): Promise<TemplateBuilder> {
    let template: TemplateBuilder | undefined
    for (const { origin, steps } of partsOf(stage.steps)) {
      const before = template && (await this.#hidden(template))
      const empty = Template({ fileContextPath: origin === 'stages' ? this.#archives : this.#recipe.directory })
      const begun = before === undefined ? empty.fromImage(stage.fromImage) : empty.fromTemplate(before)
      template = compose(begun, steps, { directory: this.#recipe.directory, taken: this.#taken, call: this.#options.call })
    }
    if (!template) throw new Error('a stage has a part')
    return template
  }

  /** Builds under a tag of its own; gives the name. */
  async #hidden(template: TemplateBuilder): Promise<string> {
    const tag = `torpor-stage-${this.#tags.length + 1}`
    this.#tags.push(tag)
    const name = `${this.#ownName}:${tag}`
    await Template.build(template, name, this.#options.build)
    return name
  }

  /** Reads archives out of a sandbox; says of each what it holds. */
  async #fetch(template: string, names: readonly string[]): Promise<Map<string, string>> {
    return this.#inside(template, async (sandbox) => {
      const kinds = new Map<string, string>()
      for (const name of names) {
        await this.#read(sandbox, `${packed(name)}.tar`, `${name}.tar`)
        kinds.set(name, (await sandbox.files.read(`${packed(name)}.kind`, { user: 'root' })).trim())
      }
      return kinds
    })
  }

  /** Reads single files out of a sandbox that has no shell; false, and nothing done, when it has one. */
  async #takeFiles(sandbox: Sandbox, stage: DockerfileStage, wanted: readonly DockerfileStep[]): Promise<boolean> {
    if (await sandbox.files.exists('/bin/sh', { user: 'root' })) return false
    for (const step of wanted) {
      const [source = ''] = step.args
      const found = await sandbox.files.getInfo(`/${source}`, { user: 'root' }).catch(() => undefined)
      if (found?.type !== 'file') {
        const message = `line ${step.line}: ${stage.name} has no shell, so only single files can be copied from it, and no file /${source}`
        throw new RemoteProblem(message, exitCodes.failed)
      }
      const directory = nameOf(stage, source)
      mkdirSync(path.join(this.#archives, directory), { recursive: true })
      const file = path.posix.join(directory, path.posix.basename(source))
      await this.#read(sandbox, `/${source}`, file)
      this.#taken.set(step, { file, mode: found.mode & 0o7777 })
    }
    return true
  }

  async #read(sandbox: Sandbox, from: string, to: string): Promise<void> {
    const content = await sandbox.files.read(from, { user: 'root', format: 'stream', requestTimeoutMs: 0 })
    await pipeline(Readable.fromWeb(content), createWriteStream(path.join(this.#archives, to)))
  }

  async #inside<Result>(template: string, work: (sandbox: Sandbox) => Promise<Result>): Promise<Result> {
    const sandbox = await Sandbox.create(template, { ...this.#options.build, timeoutMs: fetchMilliseconds })
    try {
      return await work(sandbox)
    } finally {
      await sandbox.kill()
    }
  }
}

/** The same for the same source in every build: layers go by the names of files. */
const nameOf = ({ name }: DockerfileStage, source: string): string =>
  createHash('sha256').update(`${name}\n${source}`).digest('hex').slice(0, 16)
