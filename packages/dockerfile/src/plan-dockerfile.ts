import { DockerfileParser, Env, From, type Instruction } from 'dockerfile-ast'

import { DockerfileError, copyFlags, flagsOf, lineOf, shellLine, unquoted, wordsOf } from './instructions.ts'
import type { DockerfilePlan, DockerfileStep } from './plan.ts'
import { type Draft, Stages } from './stages.ts'

const withoutEffect = new Set(['LABEL', 'EXPOSE', 'MAINTAINER', 'STOPSIGNAL', 'HEALTHCHECK', 'VOLUME'])
const urls = /^(https?|git|ssh):\/\/|^git@/i

/**
 * Reads a Dockerfile as stages of steps. `target`: the stage, by name or number, that becomes the template; default the last. @throws
 * DockerfileError for what is not supported: mounts, ONBUILD, SHELL, ADD of URLs, FROM scratch.
 */
export function planDockerfile(text: string, { buildArguments = {}, target }: PlanOptions = {}): DockerfilePlan {
  return new Planner(buildArguments).plan(DockerfileParser.parse(text).getInstructions(), target)
}

export interface PlanOptions {
  /** Values for ARGs. */
  readonly buildArguments?: Readonly<Record<string, string>> | undefined
  readonly target?: string | undefined
}

class Planner {
  readonly #given: Readonly<Record<string, string>>
  /** ARGs before the first FROM: defaults of those that a stage asks for. */
  readonly #global: Record<string, string> = {}
  readonly #stages = new Stages()
  readonly #ignored: string[] = []

  constructor(given: Readonly<Record<string, string>>) {
    this.#given = given
  }

  plan(instructions: readonly Instruction[], target: string | undefined): DockerfilePlan {
    for (const instruction of instructions) this.#read(instruction)
    if (target !== undefined) this.#stages.endWith(target)
    const { current } = this.#stages
    if (current === undefined) throw new DockerfileError(1, 'there is no FROM')
    const started = [current.entrypoint, current.command].filter((part) => part !== undefined).join(' ')
    return { stages: this.#stages.needed(), startCmd: started || undefined, ignored: this.#ignored }
  }

  #read(instruction: Instruction): void {
    const keyword = instruction.getKeyword().toUpperCase()
    const line = lineOf(instruction)
    if (keyword === 'FROM') return this.#from(instruction, line)
    const { current } = this.#stages
    if (keyword === 'ARG') return this.#argument(instruction, current, line)
    if (current === undefined) throw new DockerfileError(line, `${keyword} before FROM`)
    if (withoutEffect.has(keyword)) return void this.#ignored.push(`${keyword} (line ${line})`)
    switch (keyword) {
      case 'RUN':
        return add(current, 'RUN', [shellLine(instruction, line)], line)
      case 'COPY':
      case 'ADD':
        return this.#copy(instruction, current, keyword, line)
      case 'ENV':
        return environment(instruction, current, line)
      case 'WORKDIR':
        return add(current, keyword, [only(instruction, current, line)], line)
      case 'USER':
        return this.#user(only(instruction, current, line), current, line)
      case 'CMD':
        current.command = shellLine(instruction, line)
        return
      case 'ENTRYPOINT':
        current.entrypoint = shellLine(instruction, line)
        return
      default:
        throw new DockerfileError(line, `${keyword} is not supported`)
    }
  }

  #from(instruction: Instruction, line: number): void {
    const image = instruction instanceof From ? instruction.getImage() : null
    if (!image) throw new DockerfileError(line, 'FROM needs an image')
    if (flagsOf(instruction).length > 0) throw new DockerfileError(line, '--platform is not supported: images are those of this machine')
    const name = instruction instanceof From ? instruction.getBuildStage() : null
    this.#stages.begin(expand(image, this.#global), name ?? undefined, line)
  }

  /** In a stage as an environment variable: steps see it, and so do sandboxes. */
  #argument(instruction: Instruction, current: Draft | undefined, line: number): void {
    for (const argument of instruction.getArguments()) {
      const [name = '', ...rest] = argument.getValue().split('=')
      const value = this.#given[name] ?? (rest.length > 0 ? unquoted(rest.join('=')) : this.#global[name])
      if (value === undefined) continue
      if (current === undefined) {
        this.#global[name] = value
        continue
      }
      current.arguments[name] = value
      add(current, 'ENV', [name, value], line)
    }
  }

  #user(asked: string, current: Draft, line: number): void {
    const [user = '', group] = asked.split(':')
    if (group !== undefined) this.#ignored.push(`the group of USER ${asked} (line ${line})`)
    add(current, 'USER', [user], line)
  }

  #copy(instruction: Instruction, current: Draft, keyword: 'COPY' | 'ADD', line: number): void {
    const paths = wordsOf(instruction, line)
    const destination = paths.pop()
    if (destination === undefined || paths.length === 0) throw new DockerfileError(line, `${keyword} needs a source and a destination`)
    const { user, mode, from } = copyFlags(flagsOf(instruction), keyword, line)
    const several = paths.length > 1 && !destination.endsWith('/') ? `${destination}/` : destination
    for (const source of paths) {
      if (urls.test(source)) throw new DockerfileError(line, `${keyword} of URLs is not supported: use RUN curl`)
      if (source.startsWith('<<')) throw new DockerfileError(line, `${keyword} of a here-document is not supported`)
      const args = [source.replace(/^\/+/, '') || '.', several, user, mode]
      if (from === '') add(current, keyword, args, line)
      else current.steps.push({ type: 'COPY', args, line, from: this.#stages.source(from, line) })
    }
  }
}

function environment(instruction: Instruction, current: Draft, line: number): void {
  const pairs = instruction instanceof Env ? instruction.getProperties() : []
  if (pairs.length === 0) throw new DockerfileError(line, 'ENV needs a name and a value')
  const words = pairs.flatMap((pair) => [pair.getName(), pair.getValue() ?? ''])
  add(current, 'ENV', words, line)
}

function only(instruction: Instruction, current: Draft, line: number): string {
  const [word, ...more] = wordsOf(instruction, line)
  if (word === undefined || more.length > 0) throw new DockerfileError(line, `${instruction.getKeyword()} needs one word`)
  return expand(unquoted(word), current.arguments)
}

const expand = (text: string, known: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))/g, (match, braced?: string, otherwise?: string, bare?: string) => {
    return known[braced ?? bare ?? ''] ?? otherwise ?? match
  })

function add({ steps }: Draft, type: DockerfileStep['type'], args: readonly string[], line: number): void {
  steps.push({ type, args, line })
}
