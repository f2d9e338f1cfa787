import type { Command } from 'commander'

import type { Script } from './run-script.ts'

/** Programs of the clone, for those who work on it. */
export function addScripts(program: Command): void {
  const script = (name: string, description: string, { args, ...script }: Script): void => {
    program
      .command(name)
      .description(description)
      .allowUnknownOption()
      .helpOption(false)
      .argument('[args...]')
      .action(async (given: string[]) => (await import('./run-script.ts')).runScript({ ...script, args: [...args, ...given] }))
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
