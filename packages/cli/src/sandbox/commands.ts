import { type Command, Option } from 'commander'

import { type Surroundings, asking, assignment, count, examples, port, seconds, several, truth } from '../options.ts'
import type { ConnectionFlags } from '../remote/connection.ts'
import type { ExecFlags } from './exec.ts'
import type { CloneFlags, CreateFlags, NetworkFlags } from './lifecycle.ts'
import type { ListFlags } from './list.ts'
import type { LogFlags } from './logs.ts'
import type { MetricFlags } from './metrics.ts'

type Flags = ConnectionFlags & { readonly json?: boolean }

/** `sandbox …`: what is done is loaded when it is done. */
export function addSandboxCommands(program: Command, { name, family }: Surroundings): void {
  const sandbox = program.command('sandbox').alias('sbx').description('create, use and look after sandboxes')
  addLifecycle(sandbox, name, family)
  addCopies(sandbox, name, family)
  addUse(sandbox, name, family)
  addLooks(sandbox, name, family)
}

type Family = Surroundings['family']
const lifecycle = () => import('./lifecycle.ts')

function addLifecycle(sandbox: Command, name: string, family: Family): void {
  const create = asking(sandbox.command('create').description('create a sandbox; prints its id'))
    .argument('[template]', 'name or id of a template or snapshot', 'base')
    .option('-t, --timeout <time>', 'its life, such as 90 (seconds), 10m, 2h', seconds)
    .option('-m, --metadata <name=value>', 'a note on it; may be repeated', assignment)
    .option('-e, --env <NAME=value>', 'a variable of its environment; may be repeated', assignment)
    .addOption(new Option('--on-timeout <action>', 'at the end of its life').choices(['kill', 'pause']))
    .option('--auto-resume', 'traffic wakes it after a pause; the end of its life pauses it')
    .option('--no-internet', 'without a way to the internet, but to what --allow-out names')
    .addOption(allowOut())
    .addOption(denyOut())
    .action(async (template: string, flags: CreateFlags) => (await lifecycle()).create(template, { ...flags, family }))
  examples(create, `${name} sandbox create`, `${name} sandbox create base -t 2h -m user=ann --on-timeout pause`)

  const network = asking(sandbox.command('network').description('replace what a sandbox may reach outside; new connections obey at once'))
    .argument('<id>')
    .option('--no-internet', 'nothing, but what --allow-out names')
    .addOption(allowOut())
    .addOption(denyOut())
    .action(async (id: string, flags: NetworkFlags) => (await lifecycle()).network(id, { ...flags, family }))
  examples(network, `${name} sandbox network ID --no-internet --allow-out '*.example.org'`, `${name} sandbox network ID`)

  asking(sandbox.command('kill').description('end sandboxes; exit code 4 when one is not there'))
    .argument('[ids...]')
    .option('-a, --all', 'all of them, the sleeping ones too')
    .action(async (ids: string[], flags: Flags & { all?: true }) => (await lifecycle()).kill(ids, { ...flags, family }))

  const pause = asking(sandbox.command('pause').description('let sandboxes sleep, with their files and memory'))
    .argument('<ids...>')
    .option('--files-only', 'without their memory: they boot when they wake')
    .action(async (ids: string[], flags: Flags & { filesOnly?: true }) => (await lifecycle()).pause(ids, { ...flags, family }))
  examples(
    pause,
    `${name} sandbox pause ID`,
    `${name} sandbox list --state running --json | jq -r .[].sandboxId | xargs ${name} sandbox pause`,
  )

  asking(sandbox.command('resume').description('wake sleeping sandboxes'))
    .argument('<ids...>')
    .option('-t, --timeout <time>', 'their life from now on, such as 90 (seconds), 10m, 2h', seconds)
    .action(async (ids: string[], flags: Flags & { timeout?: number }) => (await lifecycle()).resume(ids, { ...flags, family }))
}

const allowOut = (): Option =>
  new Option('--allow-out <target>', 'an address, a range or a name that is reached whatever is denied; may be repeated').argParser(several)

const denyOut = (): Option => new Option('--deny-out <target>', 'an address or a range that is not; may be repeated').argParser(several)

/** Novita writes it with a value: `-s true`. */
const strictOption = (family: Family): Option =>
  family === 'E2B'
    ? new Option('-s, --strict', 'all or none')
    : new Option('-s, --strict [boolean]', 'all or none').argParser(truth).preset(true)

function addCopies(sandbox: Command, name: string, family: Family): void {
  const clone = asking(sandbox.command('clone').description('copies of a sandbox as it is now, memory and all; prints their ids'))
    .argument('<id>')
    .option('-c, --count <number>', 'how many', count, 1)
    .addOption(strictOption(family))
    .option('-t, --timeout <time>', 'their life, such as 90 (seconds), 10m, 2h', seconds)
    .action(async (id: string, flags: CloneFlags) => (await lifecycle()).clone(id, { ...flags, family }))
  examples(clone, `${name} sandbox clone ID -c 2`)

  const snapshot = asking(
    sandbox.command('snapshot').description('keep the state of a sandbox, from which others are created; prints its id'),
  )
    .argument('<id>')
    .option('-n, --name <name>', 'a name for it, perhaps with a tag')
    .action(async (id: string, flags: Flags & { name?: string }) => (await lifecycle()).snapshot(id, { ...flags, family }))
  examples(snapshot, `${name} sandbox create "$(${name} sandbox snapshot ID --name nightly)"`)
}

function addUse(sandbox: Command, name: string, family: Family): void {
  asking(sandbox.command('connect').alias('cn').description('a terminal in a sandbox; ends with the exit code of its shell'))
    .argument('<id>')
    .option('-u, --user <name>', 'as this user')
    .option('-w, --cwd <directory>', 'in this directory')
    .action(async (id: string, flags: ConnectionFlags & { user?: string; cwd?: string }) =>
      (await import('./terminal.ts')).connect(id, { ...flags, family }),
    )

  const exec = asking(sandbox.command('exec').alias('ex').description('run a command in a sandbox; ends with its exit code'))
    .argument('<id>')
    .argument('<command...>', 'one word is a line for the shell, several are a command and its arguments')
    .option('-i, --interactive', 'with the input of this command')
    .option('-d, --background', 'let it run; prints its process id')
    .option('-u, --user <name>', 'as this user')
    .option('-w, --cwd <directory>', 'in this directory')
    .option('-e, --env <NAME=value>', 'a variable of its environment; may be repeated', assignment)
    .option('-t, --timeout <time>', 'end it after this time; default never', seconds)
    .passThroughOptions()
    .action(async (id: string, words: string[], flags: ExecFlags) => (await import('./exec.ts')).exec(id, words, { ...flags, family }))
  examples(
    exec,
    `${name} sandbox exec ID "echo \\$HOME | wc -c"`,
    `${name} sandbox exec ID ls -l "/tmp/with blank"`,
    `${name} sandbox exec -i ID tar -xf - <files.tar`,
  )
}

function addLooks(sandbox: Command, name: string, family: Family): void {
  const list = asking(sandbox.command('list').alias('ls').description('all sandboxes, running and paused'))
    .addOption(new Option('--state <state>', 'only those').choices(['running', 'paused']))
    .option('-m, --metadata <name=value>', 'only those with this note; may be repeated', assignment)
    .action(async (flags: ListFlags) => (await import('./list.ts')).list({ ...flags, family }))
  examples(list, `${name} sandbox list --metadata user=ann`)

  asking(sandbox.command('info').description('all about one sandbox'))
    .argument('<id>')
    .action(async (id: string, flags: Flags) => (await import('./list.ts')).info(id, { ...flags, family }))

  asking(sandbox.command('url').description('where a port of a sandbox is served'))
    .argument('<id>')
    .argument('<port>', 'the port inside', port)
    .action(async (id: string, inside: number, flags: Flags) => (await import('./list.ts')).url(id, inside, { ...flags, family }))

  const logs = asking(sandbox.command('logs').alias('lg').description('what happened to a sandbox and in it; also of one that is gone'))
    .argument('<id>')
    .option('-f, --follow', 'go on until it ends')
    .addOption(new Option('--level <level>', 'the least serious').choices(['debug', 'info', 'warn', 'error']))
    .option('--search <words>', 'only lines with these')
    .action(async (id: string, flags: LogFlags) => (await import('./logs.ts')).logs(id, { ...flags, family }))
  examples(logs, `${name} sandbox logs -f ID`)

  asking(sandbox.command('metrics').alias('mt').description('what a sandbox used of processor, memory and disk'))
    .argument('<id>')
    .option('-f, --follow', 'go on until it ends')
    .action(async (id: string, flags: MetricFlags) => (await import('./metrics.ts')).metrics(id, { ...flags, family }))
}
