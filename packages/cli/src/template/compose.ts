import path from 'node:path'

import type { DockerfileStep } from '@torpor/dockerfile'
import type { TemplateBuilder } from 'e2b'

import { archiveDirectory, compressionOf, matches, unpackCommand } from './archives.ts'

/** What was taken out of a stage: an archive in the directory of all of them, or one file as it is. */
export type Taken = Packed | { readonly file: string; readonly mode: number }

interface Packed {
  readonly archive: string
  readonly isFile: boolean
}

/** Where the files of steps are. */
export interface Sources {
  readonly directory: string
  readonly taken: ReadonlyMap<DockerfileStep, Taken>
  /** Hears what the log should call a command of ours. */
  readonly call: (command: string, title: string) => void
}

/** Whether its files are the user's, or those of stages; undefined when it has none. */
const originOf = ({ type, from }: DockerfileStep): 'own' | 'stages' | undefined =>
  type !== 'COPY' && type !== 'ADD' ? undefined : from === undefined ? 'own' : 'stages'

/** One template of the SDK takes its files from one directory: a new part begins where steps need the other one. */
export function partsOf(steps: readonly DockerfileStep[]): { origin: 'own' | 'stages' | undefined; steps: DockerfileStep[] }[] {
  const parts: ReturnType<typeof partsOf> = [{ origin: undefined, steps: [] }]
  for (const step of steps) {
    const origin = originOf(step)
    const last = parts.at(-1)
    if (last && (origin === undefined || last.origin === undefined || last.origin === origin)) {
      last.origin ??= origin
      last.steps.push(step)
    } else parts.push({ origin, steps: [step] })
  }
  return parts
}

/** Steps in the words of the SDK, which packs and uploads the files. */
export function compose(begun: TemplateBuilder, steps: readonly DockerfileStep[], sources: Sources): TemplateBuilder {
  return steps.reduce((template, step) => compositionOf(template, step, sources), begun)
}

function compositionOf(template: TemplateBuilder, step: DockerfileStep, sources: Sources): TemplateBuilder {
  const { args, type } = step
  const [first = ''] = args
  switch (type) {
    case 'RUN':
      return template.runCmd(first)
    case 'COPY':
      return step.from === undefined ? copied(template, args) : takenOver(template, step, sources)
    case 'ADD':
      return added(template, step, sources)
    case 'ENV':
      return template.setEnvs(Object.fromEntries(pairsOf(args)))
    case 'WORKDIR':
      return template.setWorkdir(first)
    case 'USER':
      return template.setUser(first)
  }
}

function copied(template: TemplateBuilder, [source = '', destination = '', user = '', mode = '']: readonly string[]): TemplateBuilder {
  return template.copy(source, destination, { ...(user && { user }), ...(mode && { mode: Number.parseInt(mode, 8) }) })
}

function takenOver(template: TemplateBuilder, step: DockerfileStep, sources: Sources): TemplateBuilder {
  const taken = sources.taken.get(step)
  if (!taken) throw new Error(`line ${step.line}: its stage was not built`)
  if ('archive' in taken) return unpacked(template, step, { ...taken, program: '' }, sources)
  const [, destination = '', user = '', mode = ''] = step.args
  return copied(template, [taken.file, destination, user || 'root', mode || taken.mode.toString(8)])
}

function added(template: TemplateBuilder, step: DockerfileStep, sources: Sources): TemplateBuilder {
  const [pattern = '', destination = '', ...rest] = step.args
  const files = matches(sources.directory, pattern)
  const target = files.length > 1 && !destination.endsWith('/') ? `${destination}/` : destination
  return files.reduce((made, source) => {
    const program = compressionOf(path.join(sources.directory, source))
    if (program === undefined) return copied(made, [source, target, ...rest])
    return unpacked(made, { ...step, args: [source, target, ...rest] }, { archive: source, isFile: false, program }, sources)
  }, template)
}

function unpacked(
  template: TemplateBuilder,
  { type, args: [source = '', destination = '', user = '', mode = ''] }: DockerfileStep,
  taken: Packed & { readonly program: string },
  { call }: Sources,
): TemplateBuilder {
  const command = unpackCommand({ ...taken, destination, user, mode })
  call(command, `${type} ${source} ${destination}`)
  return template.copy(taken.archive, archiveDirectory, { user: 'root' }).runCmd(command, { user: 'root' })
}

const pairsOf = (words: readonly string[]): [string, string][] =>
  words.flatMap((word, index) => (index % 2 === 0 ? [[word, words[index + 1] ?? '']] : []))
