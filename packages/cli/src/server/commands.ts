import type { Command } from 'commander'

interface Json {
  readonly json?: true
}

/** The commands of the server itself. */
export function addServerCommands(program: Command): void {
  program
    .command('up')
    .description('prepare this machine and serve; what is done already is skipped')
    .option('-d, --detach', 'go on in the background as soon as it serves')
    .action(async (options: { detach?: true }) => (await import('./up.ts')).up({ detach: options.detach === true }))
  program
    .command('down')
    .description('stop the server; running sandboxes go on and are found again, paused ones stay on disk')
    .option('--all', 'kill the running sandboxes first')
    .action(async (options: { all?: true }) => (await import('./down.ts')).down({ all: options.all === true }))
  program
    .command('status')
    .description('state of the server, its sandboxes and its disk; exit code 3 when it is not running')
    .option('--json', 'as JSON')
    .action(async ({ json }: Json) => (await import('./status.ts')).status({ json: json === true }))
  program
    .command('verify')
    .description('read every saved state whole and say which are damaged; exit code 1 when one is')
    .option('--json', 'as JSON lines')
    .action(async ({ json }: Json) => (await import('./verify.ts')).verify({ json: json === true }))
  program
    .command('env')
    .description('export lines that point the SDKs here: eval "$(./torpor env)"')
    .action(async () => (await import('../settings/print-environment.ts')).printEnvironment())
  program
    .command('doctor')
    .description('check this machine; for every finding, what it breaks and the command that mends it')
    .option('--json', 'as JSON')
    .action(async ({ json }: Json) => (await import('../machine/doctor.ts')).doctor({ json: json === true }))
  program
    .command('config')
    .description('every setting with its value, default and meaning')
    .option('--json', 'as JSON')
    .action(async ({ json }: Json) => (await import('../settings/print-config.ts')).printConfig({ json: json === true }))
}
