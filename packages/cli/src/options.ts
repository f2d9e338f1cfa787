import { type Command, InvalidArgumentError, Option } from 'commander'

import { parseSeconds } from './output/format.ts'

/** What a program lets commands know of itself. */
export interface Surroundings {
  /** Its name in examples. */
  readonly name: string
  /** Whose variables count first. */
  readonly family: 'E2B' | 'NOVITA'
}

/** The options of every command that asks a server. */
export function asking(command: Command): Command {
  return command
    .option('--json', 'as JSON')
    .addOption(new Option('--api-url <url>', 'the server; default E2B_API_URL or NOVITA_API_URL, else that of this machine'))
    .addOption(new Option('--api-key-file <file>', 'holds its key; default E2B_API_KEY or NOVITA_API_KEY'))
    .addOption(new Option('--domain <name>', 'host names of its sandboxes end with it; default E2B_DOMAIN or NOVITA_DOMAIN'))
}

/** `90`, `10m`, `2h` as seconds. */
export function seconds(text: string): number {
  const parsed = parseSeconds(text)
  if (parsed === undefined) throw new InvalidArgumentError('It is a number of seconds, or such as 10m, 2h, 1d.')
  return parsed
}

export function count(text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text)) throw new InvalidArgumentError('It is a whole number above 0.')
  return Number(text)
}

export function port(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > 65_535) throw new InvalidArgumentError('It is a port from 1 to 65535.')
  return Number(text)
}

export function truth(text: string | boolean): boolean {
  if (typeof text === 'boolean') return text
  if (text !== 'true' && text !== 'false') throw new InvalidArgumentError('It is true or false.')
  return text === 'true'
}

/** `NAME=value`, as often as wanted. */
export function assignment(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const place = text.indexOf('=')
  if (place < 1) throw new InvalidArgumentError('It looks like NAME=value.')
  return { ...before, [text.slice(0, place)]: text.slice(place + 1) }
}

/** A value that may be given again. */
export const several = (text: string, before: readonly string[] = []): string[] => [...before, text]

/** Examples below the help of a command. */
export const examples = (command: Command, ...lines: string[]): Command =>
  command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  ${line}\n`).join('')}`.trimEnd())
