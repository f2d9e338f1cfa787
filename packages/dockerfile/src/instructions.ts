import { type Instruction, ModifiableInstruction } from 'dockerfile-ast'

/** What cannot be built, with the line at which it stands. Thrown before anything runs. */
export class DockerfileError extends Error {
  readonly line: number

  constructor(line: number, message: string) {
    super(`Dockerfile line ${line}: ${message}`)
    this.name = 'DockerfileError'
    this.line = line
  }
}

export const lineOf = (instruction: Instruction): number => instruction.getRange().start.line + 1

/** What stands before the paths of COPY and ADD; `from` is empty where it is not said. */
export function copyFlags(flags: readonly string[], keyword: string, line: number): { user: string; mode: string; from: string } {
  const found = { user: '', mode: '', from: '' }
  for (const flag of flags) {
    const [name, value = ''] = flag.split('=')
    if (name === '--chown') found.user = value.split(':')[0] ?? ''
    else if (name === '--chmod') found.mode = value
    else if (name === '--from' && keyword === 'COPY' && value) found.from = value
    // Says how layers are stored, nothing of what is in them.
    else if (name === '--link') continue
    else throw new DockerfileError(line, `${keyword} ${name} is not supported`)
  }
  return found
}

/** As `--name=value`; the library keeps them apart from the arguments. */
export function flagsOf(instruction: Instruction): string[] {
  const flags = instruction instanceof ModifiableInstruction ? instruction.getFlags() : []
  return flags.map((flag) => `--${flag.getName()}=${flag.getValue() ?? ''}`)
}

/** The words of an instruction, of its JSON form too. */
export function wordsOf(instruction: Instruction, line: number): string[] {
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
export function shellLine(instruction: Instruction, line: number): string {
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

export const unquoted = (word: string): string => /^(["'])(.*)\1$/s.exec(word)?.[2] ?? word
