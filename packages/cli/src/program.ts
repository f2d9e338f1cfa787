import { Command, CommanderError } from 'commander'

import { addCompletion } from './completion.ts'
import { exitCodes } from './exit-codes.ts'
import { addInstallCommands } from './install/commands.ts'
import { addKeyCommands } from './keys/commands.ts'
import { addSandboxCommands } from './sandbox/commands.ts'
import { addScripts } from './scripts/commands.ts'
import { addServerCommands } from './server/commands.ts'
import { addTemplateCommands } from './template/commands.ts'
import { version } from './version.ts'

/**
 * The command line under one of its names. The second one accepts the grammar that Novita documents: what is about sandboxes and
 * templates, with Novita's variables first.
 */
export function buildProgram(name: 'torpor' | 'novita-sandbox-cli'): Command {
  const program = name === 'torpor' ? torpor() : novita()
  addCompletion(program, () => (name === 'torpor' ? torpor() : novita()))
  return program
}

function torpor(): Command {
  const program = begin('torpor', 'Self-hosted sandboxes that sleep and wake with their files and their memory.').addHelpText(
    'after',
    '\nStart: ./torpor up --detach; then eval "$(./torpor env)" and run any E2B or Novita SDK script.\nSettings: ./torpor config',
  )
  addServerCommands(program)
  addInstallCommands(program)
  addSandboxCommands(program, { name: 'torpor', family: 'E2B' })
  addTemplateCommands(program, { name: 'torpor', family: 'E2B' })
  addKeyCommands(program)
  addScripts(program)
  return program
}

function novita(): Command {
  const program = begin('novita-sandbox-cli', 'Sandboxes and templates of a Torpor, by the grammar of novita-sandbox-cli.')
  addSandboxCommands(program, { name: 'novita-sandbox-cli', family: 'NOVITA' })
  addTemplateCommands(program, { name: 'novita-sandbox-cli', family: 'NOVITA' })
  return program
}

const begin = (name: string, description: string): Command =>
  new Command(name)
    .description(description)
    .version(version())
    .enablePositionalOptions()
    .showHelpAfterError(`(${name} --help shows every command)`)

/** Runs a command line. @returns undefined unless it was refused before it ran: then the exit code. */
export async function run(program: Command, argv: readonly string[]): Promise<number | undefined> {
  throwInsteadOfExit(program)
  try {
    await program.parseAsync(argv)
    return undefined
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error
    return error.exitCode === 0 ? 0 : exitCodes.usage
  }
}

function throwInsteadOfExit(command: Command): void {
  command.exitOverride()
  for (const child of command.commands) throwInsteadOfExit(child)
}
