import { DockerfileParser, Env, From, type Instruction, ModifiableInstruction } from 'dockerfile-ast'

/** A step as the build's API takes it (protocol.md 2.3); for COPY the files are still to be packed and uploaded. */
export interface DockerfileStep {
  readonly type: 'RUN' | 'COPY' | 'ENV' | 'WORKDIR' | 'USER'
  /** RUN: command. COPY: source, destination, user, mode. ENV: name, value, …; WORKDIR, USER: one. */
  readonly args: readonly string[]
  /** Where it stands, from 1; 0 for what holds in every Dockerfile. */
  readonly line: number
}

export interface DockerfilePlan {
  readonly fromImage: string
  readonly steps: readonly DockerfileStep[]
  /** CMD and ENTRYPOINT as a shell's line; undefined: neither is there. */
  readonly startCmd: string | undefined
  /** Instructions that change nothing in a sandbox, as `EXPOSE (line 3)`. */
  readonly ignored: readonly string[]
}

/** What cannot be built, with the line at which it stands. Thrown before anything runs. */
export class DockerfileError extends Error {
  readonly line: number

  constructor(line: number, message: string) {
    super(`Dockerfile line ${line}: ${message}`)
    this.name = 'DockerfileError'
    this.line = line
  }
}

const withoutEffect = new Set(['LABEL', 'EXPOSE', 'MAINTAINER', 'STOPSIGNAL', 'HEALTHCHECK', 'VOLUME'])
const archives = /\.(tar|tgz|tbz2?|txz|tar\.(gz|bz2|xz|zst))$/i
const urls = /^(https?|git|ssh):\/\/|^git@/i

const lineOf = (instruction: Instruction): number => instruction.getRange().start.line + 1

/**
 * Reads a Dockerfile as steps of a build. `buildArguments` are values for its ARGs. @throws DockerfileError for what is not
 * supported: more than one stage, mounts, ONBUILD, SHELL, ADD of URLs and archives.
 */
export function planDockerfile(text: string, buildArguments: Readonly<Record<string, string>> = {}): DockerfilePlan {
  return new Planner(buildArguments).plan(DockerfileParser.parse(text).getInstructions())
}

class Planner {
  readonly #given: Readonly<Record<string, string>>
  /** ARGs so far; those before FROM hold for it only, as Docker has it. */
  #arguments: Record<string, string> = {}
  #fromImage: string | undefined
  readonly #steps: DockerfileStep[] = []
  readonly #ignored: string[] = []
  #entrypoint: string | undefined
  #command: string | undefined

  constructor(given: Readonly<Record<string, string>>) {
    this.#given = given
  }

  plan(instructions: readonly Instruction[]): DockerfilePlan {
    for (const instruction of instructions) this.#read(instruction)
    if (this.#fromImage === undefined) throw new DockerfileError(1, 'there is no FROM')
    const asDocker: DockerfileStep[] = [
      { type: 'USER', args: ['root'], line: 0 },
      { type: 'WORKDIR', args: ['/'], line: 0 },
    ]
    // A sandbox works as its own user unless the Dockerfile decides, as the SDKs' own reading of it does.
    const ends = { USER: 'user', WORKDIR: '/home/user' } as const
    const missing = (['USER', 'WORKDIR'] as const).filter((type) => !this.#steps.some((step) => step.type === type))
    const defaults = missing.map((type) => ({ type, args: [ends[type]], line: 0 }))
    const started = [this.#entrypoint, this.#command].filter((part) => part !== undefined).join(' ')
    const steps = [...asDocker, ...this.#steps, ...defaults]
    return { fromImage: this.#fromImage, steps, startCmd: started || undefined, ignored: this.#ignored }
  }

  #read(instruction: Instruction): void {
    const keyword = instruction.getKeyword().toUpperCase()
    const line = lineOf(instruction)
    if (this.#fromImage === undefined && keyword !== 'FROM' && keyword !== 'ARG') throw new DockerfileError(line, `${keyword} before FROM`)
    if (withoutEffect.has(keyword)) return void this.#ignored.push(`${keyword} (line ${line})`)
    switch (keyword) {
      case 'FROM':
        return this.#from(instruction, line)
      case 'ARG':
        return this.#argument(instruction, line)
      case 'RUN':
        return this.#add('RUN', [shellLine(instruction, line)], line)
      case 'COPY':
      case 'ADD':
        return this.#copy(instruction, keyword, line)
      case 'ENV':
        return this.#environment(instruction, line)
      case 'WORKDIR':
      case 'USER':
        return this.#add(keyword, [this.#only(instruction, line)], line)
      case 'CMD':
        this.#command = shellLine(instruction, line)
        return
      case 'ENTRYPOINT':
        this.#entrypoint = shellLine(instruction, line)
        return
      default:
        throw new DockerfileError(line, `${keyword} is not supported`)
    }
  }

  #from(instruction: Instruction, line: number): void {
    if (this.#fromImage !== undefined)
      throw new DockerfileError(line, 'builds of more than one stage are not supported; build the first one as a template')
    const image = instruction instanceof From ? instruction.getImage() : null
    if (!image) throw new DockerfileError(line, 'FROM needs an image')
    if (flagsOf(instruction).length > 0) throw new DockerfileError(line, '--platform is not supported: images are those of this machine')
    this.#fromImage = this.#expand(image)
    this.#arguments = {}
  }

  /** As an environment variable: steps see it, and so do sandboxes. */
  #argument(instruction: Instruction, line: number): void {
    for (const argument of instruction.getArguments()) {
      const [name = '', ...rest] = argument.getValue().split('=')
      const value = this.#given[name] ?? (rest.length > 0 ? unquoted(rest.join('=')) : undefined)
      if (value === undefined) continue
      this.#arguments[name] = value
      if (this.#fromImage !== undefined) this.#add('ENV', [name, value], line)
    }
  }

  #environment(instruction: Instruction, line: number): void {
    const pairs = instruction instanceof Env ? instruction.getProperties() : []
    if (pairs.length === 0) throw new DockerfileError(line, 'ENV needs a name and a value')
    this.#add(
      'ENV',
      pairs.flatMap((pair) => [pair.getName(), pair.getValue() ?? '']),
      line,
    )
  }

  #copy(instruction: Instruction, keyword: string, line: number): void {
    const paths = wordsOf(instruction, line)
    const destination = paths.pop()
    if (destination === undefined || paths.length === 0) throw new DockerfileError(line, `${keyword} needs a source and a destination`)
    const { user, mode } = copyFlags(flagsOf(instruction), keyword, line)
    for (const source of paths) {
      if (urls.test(source)) throw new DockerfileError(line, `${keyword} of URLs is not supported: use RUN curl`)
      if (source.startsWith('<<')) throw new DockerfileError(line, `${keyword} of a here-document is not supported`)
      if (keyword === 'ADD' && archives.test(source))
        throw new DockerfileError(line, 'ADD does not unpack archives here: use COPY and RUN tar')
      const several = paths.length > 1 && !destination.endsWith('/') ? `${destination}/` : destination
      this.#add('COPY', [source.replace(/^\/+/, '') || '.', several, user, mode], line)
    }
  }

  #only(instruction: Instruction, line: number): string {
    const [word, ...more] = wordsOf(instruction, line)
    if (word === undefined || more.length > 0) throw new DockerfileError(line, `${instruction.getKeyword()} needs one word`)
    return this.#expand(unquoted(word))
  }

  #expand(text: string): string {
    return text.replaceAll(/\$(?:\{(\w+)(?::-([^}]*))?\}|(\w+))/g, (match, braced?: string, otherwise?: string, bare?: string) => {
      return this.#arguments[braced ?? bare ?? ''] ?? otherwise ?? match
    })
  }

  #add(type: DockerfileStep['type'], args: readonly string[], line: number): void {
    this.#steps.push({ type, args, line })
  }
}

function copyFlags(flags: readonly string[], keyword: string, line: number): { user: string; mode: string } {
  const found = { user: '', mode: '' }
  for (const flag of flags) {
    const [name, value = ''] = flag.split('=')
    if (name === '--chown') found.user = value.split(':')[0] ?? ''
    else if (name === '--chmod') found.mode = value
    else throw new DockerfileError(line, `${keyword} ${name} is not supported`)
  }
  return found
}

/** As `--name=value`; the library keeps them apart from the arguments. */
function flagsOf(instruction: Instruction): string[] {
  const flags = instruction instanceof ModifiableInstruction ? instruction.getFlags() : []
  return flags.map((flag) => `--${flag.getName()}=${flag.getValue() ?? ''}`)
}

/** The words of an instruction, of its JSON form too. */
function wordsOf(instruction: Instruction, line: number): string[] {
  const content = argumentsOf(instruction)
  return content.startsWith('[') ? parsedList(content, line) : instruction.getArguments().map((argument) => argument.getValue())
}

/** The text behind the keyword and its flags. */
const argumentsOf = (instruction: Instruction): string => (instruction.getRawArgumentsContent() ?? '').replace(/^(--\S+\s+)+/, '').trim()

function parsedList(text: string, line: number): string[] {
  try {
    const list: unknown = JSON.parse(text)
    if (Array.isArray(list) && list.every((word) => typeof word === 'string')) return list
  } catch {
    // Told below.
  }
  throw new DockerfileError(line, 'the list in brackets is not JSON')
}

/** The shell's line of RUN, CMD and ENTRYPOINT. Continued lines stay as they are: the shell reads them so too, but for comments between. */
function shellLine(instruction: Instruction, line: number): string {
  const content = argumentsOf(instruction)
  const [flag] = flagsOf(instruction)
  if (flag !== undefined) throw new DockerfileError(line, `${flag.split('=', 1)[0]} of ${instruction.getKeyword()} is not supported`)
  if (content === '') throw new DockerfileError(line, `${instruction.getKeyword()} needs a command`)
  if (content.startsWith('[') && content.endsWith(']')) return parsedList(content, line).map(quoted).join(' ')
  const script = /^<<-?(["']?)(\w+)\1\s*\n(.*?)\n?\t*\2\s*$/s.exec(content)
  if (script) return script[3] ?? ''
  return content
    .split('\n')
    .filter((part, index) => index === 0 || !/^\s*#/.test(part))
    .join('\n')
}

const quoted = (word: string): string => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`)

const unquoted = (word: string): string => /^(["'])(.*)\1$/s.exec(word)?.[2] ?? word
