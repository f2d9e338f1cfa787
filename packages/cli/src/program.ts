import { Command } from 'commander'

import { doctor } from './machine/doctor.ts'
import { version } from './places.ts'
import { type Script, runScript } from './scripts/run-script.ts'
import { down } from './server/down.ts'
import { status } from './server/status.ts'
import { up } from './server/up.ts'
import { verify } from './server/verify.ts'
import { printConfig } from './settings/print-config.ts'
import { printEnvironment } from './settings/print-environment.ts'

/** The command line. */
export function buildProgram(): Command {
  const program = new Command('torpor')
    .description('Self-hosted sandboxes that sleep and wake with their files and their memory.')
    .version(version())
    .showHelpAfterError('(torpor --help shows every command)')
    .addHelpText(
      'after',
      '\nStart: ./torpor up --detach; then eval "$(./torpor env)" and run any E2B or Novita SDK script.\nSettings: ./torpor config',
    )
  addServerCommands(program)
  addScripts(program)
  return program
}

function addServerCommands(program: Command): void {
  program
    .command('up')
    .description('prepare this machine and serve; what is done already is skipped')
    .option('-d, --detach', 'go on in the background as soon as it serves')
    .action(async (options: { detach?: true }) => up({ detach: options.detach === true }))
  program
    .command('down')
    .description('stop the server; running sandboxes go on and are found again, paused ones stay on disk')
    .option('--all', 'kill the running sandboxes first')
    .action(async (options: { all?: true }) => down({ all: options.all === true }))
  program
    .command('status')
    .description('state of the server, its sandboxes and its disk; exit code 3 when it is not running')
    .option('--json', 'as JSON')
    .action(async (options: { json?: true }) => status({ json: options.json === true }))
  program
    .command('verify')
    .description('read every saved state whole and say which are damaged; exit code 1 when one is')
    .option('--json', 'as JSON lines')
    .action(async (options: { json?: true }) => verify({ json: options.json === true }))
  program
    .command('env')
    .description('export lines that point the SDKs here: eval "$(./torpor env)"')
    .action(async () => printEnvironment())
  program
    .command('doctor')
    .description('check this machine; for every finding, what it breaks and the command that mends it')
    .option('--json', 'as JSON')
    .action(async (options: { json?: true }) => doctor({ json: options.json === true }))
  program
    .command('config')
    .description('every setting with its value, default and meaning')
    .option('--json', 'as JSON')
    .action((options: { json?: true }) => printConfig({ json: options.json === true }))
}

function addScripts(program: Command): void {
  const script = (name: string, description: string, script: Script): void => {
    program
      .command(name)
      .description(description)
      .allowUnknownOption()
      .helpOption(false)
      .argument('[args...]')
      .action(async (args: string[]) => runScript({ ...script, args: [...script.args, ...args] }))
  }
  script('test', 'run the tests: ./torpor test [kind…]', { nodeOptions: [], file: 'tests/run.ts', args: [] })
  script('bench', 'measure against the limits of the specification', { nodeOptions: [], file: 'tests/performance/bench.ts', args: [] })
  script('dev', 'serve, and start again whenever a source file changes', {
    nodeOptions: ['--watch', '--watch-preserve-output'],
    file: 'packages/cli/src/main.ts',
    args: ['up'],
    defaults: { TORPOR_LOG_FORMAT: 'pretty' },
  })
}
