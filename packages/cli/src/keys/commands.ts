import type { Command } from 'commander'

import { examples } from '../options.ts'

interface Flags {
  readonly json?: true
}

/** `keys …`: on the server's machine, whether it runs or not. */
export function addKeyCommands(program: Command): void {
  const keys = program
    .command('keys')
    .description("API keys of this machine's server: each for its own purpose, revocable, in force at once")
  const create = keys
    .command('create')
    .description('make a key; it is printed once and kept as a hash only')
    .argument('<name>', 'what it is for')
    .option('--json', 'as JSON')
    .action(async (name: string, flags: Flags) => (await import('./keys.ts')).createKey(name, flags))
  examples(create, 'E2B_API_KEY=$(sudo ./torpor keys create ci)')
  keys
    .command('list')
    .alias('ls')
    .description('all keys, when they were made and last used')
    .option('--json', 'as JSON')
    .action(async (flags: Flags) => (await import('./keys.ts')).listKeys(flags))
  keys
    .command('revoke')
    .description('end a key at once')
    .argument('<name>')
    .option('--json', 'as JSON')
    .action(async (name: string, flags: Flags) => (await import('./keys.ts')).revokeKey(name, flags))
}
