import type { Command } from 'commander'

import { type Surroundings, asking, assignment, count, examples } from '../options.ts'
import type { ConnectionFlags } from '../remote/connection.ts'
import type { BuildFlags } from './recipe.ts'

type Flags = ConnectionFlags & { readonly json?: boolean }
type Building = Flags & BuildFlags & { readonly cache?: boolean; readonly tag?: readonly string[] }

const templates = () => import('./templates.ts')

/** `template …` */
export function addTemplateCommands(program: Command, { name, family }: Surroundings): void {
  const template = program.command('template').alias('tpl').description('what sandboxes are created from')
  asking(template.command('list').alias('ls').description('all templates')).action(async (flags: Flags) =>
    (await templates()).listTemplates({ ...flags, family }),
  )
  asking(template.command('get').description('one template and its builds'))
    .argument('<template>', 'name or id')
    .action(async (id: string, flags: Flags) => (await templates()).getTemplate(id, { ...flags, family }))
  const remove = asking(template.command('delete').alias('dl').description('delete templates that no sandbox uses, and snapshots'))
    .argument('<templates...>', 'names or ids')
    .action(async (ids: string[], flags: Flags) => (await templates()).deleteTemplates(ids, { ...flags, family }))
  examples(remove, `${name} template delete shop`, `${name} template delete local/nightly:default`)
  asking(template.command('publish').alias('pb').description('let everybody create from a template'))
    .argument('<template>', 'name or id')
    .action(async (id: string, flags: Flags) => (await templates()).publishTemplate(id, true, { ...flags, family }))
  asking(template.command('unpublish').alias('upb').description('take that back'))
    .argument('<template>', 'name or id')
    .action(async (id: string, flags: Flags) => (await templates()).publishTemplate(id, false, { ...flags, family }))
  asking(template.command('logs').description('what a build wrote; exit code 1 when it failed'))
    .argument('<template>', 'name or id')
    .argument('[build]', 'its id; default the newest')
    .option('-f, --follow', 'go on until the build ends')
    .action(async (id: string, build: string | undefined, flags: Flags & { follow?: true }) =>
      (await templates()).buildLogs(id, build, { ...flags, family }),
    )
  addBuilding(template, { name, family })
}

function addBuilding(template: Command, { name, family }: Surroundings): void {
  const prefix = family === 'NOVITA' ? 'novita' : 'e2b'
  template
    .command('init')
    .alias('it')
    .description(`write ${prefix}.Dockerfile and ${prefix}.toml to begin with`)
    .option('-p, --path <directory>', 'where; default here')
    .option('-n, --name <name>', 'of the template; default that of the directory')
    .action(async (flags: { path?: string; name?: string }) => (await import('./building.ts')).initTemplate(prefix, flags))
  const build = asking(
    template.command('build').alias('bd').description('build the Dockerfile of a directory; prints the id of the template'),
  )
    .argument('[name]', 'of the template; default that in the .toml file')
    .option('-p, --path <directory>', 'holds the Dockerfile and the files that it copies; default here')
    .option('-d, --dockerfile <file>', 'default e2b.Dockerfile, novita.Dockerfile or Dockerfile')
    .option('--config <file>', 'default e2b.toml or novita.toml')
    .option('-n, --name <name>', 'the same as the argument')
    .option('-c, --cmd <command>', 'runs in every sandbox from its first moment on')
    .option('--ready-cmd <command>', 'succeeds when it is ready; default sleep 20')
    .option('--docker-cmd', 'takes CMD and ENTRYPOINT for --cmd')
    .option('--cpu-count <number>', 'default that of the server', count)
    .option('--memory-mb <number>', 'in MiB; default that of the server', count)
    .option('--build-arg <NAME=value>', 'for an ARG; may be repeated', assignment)
    .option('--target <stage>', 'its name or number becomes the template; default the last')
    .option('--tag <tag...>', 'more tags for the build')
    .option('--no-cache', 'run every step, also those that are known')
    .action(async (asked: string | undefined, flags: Building) =>
      (await import('./building.ts')).buildTemplate(asked, { ...flags, family }),
    )
  examples(build, `${name} template build shop`, `${name} template build shop -c "python3 server.py" --ready-cmd "curl -sf localhost:8000"`)
}
