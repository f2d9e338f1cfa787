import type { Command } from 'commander'

import { type Surroundings, asking, examples } from '../options.ts'
import type { ConnectionFlags } from '../remote/connection.ts'

type Flags = ConnectionFlags & { readonly json?: boolean }

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
  addBuilding(template)
}

/** Named, so that the documented grammar is understood; what they need is not there yet. */
function addBuilding(template: Command): void {
  for (const verb of ['init', 'build']) {
    template
      .command(verb)
      .description('not there yet: build with the Template class of the SDKs, docs/templates.md')
      .allowUnknownOption()
      .allowExcessArguments()
      .action(async () => (await import('./building.ts')).refuse(verb))
  }
}
