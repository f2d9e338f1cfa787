import { Argument, type Command } from 'commander'

/** `completion SHELL` prints what the shell reads; the shell then asks the hidden `complete`. */
export function addCompletion(program: Command, afresh: () => Command): void {
  const name = program.name()
  program
    .command('completion')
    .description('completion for your shell')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .addHelpText('after', `\nExamples:\n  ${name} completion bash >/etc/bash_completion.d/${name}\n  source <(${name} completion zsh)`)
    .action(async (shell: string) => (await import('@bomb.sh/tab')).default.setup(name, name, shell))
  program
    .command('complete', { hidden: true })
    .argument('[words...]')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (words: string[]) => {
      const { default: tab } = await import('@bomb.sh/tab/commander')
      // It adds commands of its own: not to the program that runs.
      tab(afresh(), { completionCommandName: 'complete-script' }).parse(words)
    })
}
