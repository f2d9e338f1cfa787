import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import type { DockerfileStage, DockerfileStep } from '@torpor/dockerfile'
import { type BuildInfo, type BuildOptions, Template, type TemplateBuilder } from 'e2b'

import { packCommand } from './archives.ts'
import { type Sources, type Taken, compose, partsOf } from './compose.ts'
import type { Recipe } from './recipe.ts'
import { takeArchives, takeFiles } from './take-files.ts'

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
      const asked = wanted.map((step) => ({ step, source: step.args[0] ?? '', name: nameOf(stage, step.args[0] ?? '') }))
      const files = await takeFiles(this.#options.build, built, asked, this.#archives)
      for (const [step, taken] of files ?? []) this.#taken.set(step, taken)
      if (files) return
    }
    const sources = new Map(wanted.map(({ args: [source = ''] }) => [nameOf(stage, source), source]))
    let template = await this.#composed(stage)
    for (const [name, source] of sources) {
      const command = packCommand(name, source)
      this.#options.call(command, `pack /${source} of stage ${stage.name}`)
      template = template.runCmd(command, { user: 'root' })
    }
    const built = await this.#hidden(template)
    const kinds = await takeArchives(this.#options.build, built, [...sources.keys()], this.#archives)
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
}

/** The same for the same source in every build: layers go by the names of files. */
const nameOf = ({ name }: DockerfileStage, source: string): string =>
  createHash('sha256').update(`${name}\n${source}`).digest('hex').slice(0, 16)
