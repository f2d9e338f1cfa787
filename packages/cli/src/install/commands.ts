import type { Command } from 'commander'

import { examples } from '../options.ts'
import type { InstallFlags } from './install.ts'

/** `install` and `uninstall`. */
export function addInstallCommands(program: Command): void {
  const verb = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .option('--unit-directory <directory>', 'where units of systemd are', '/etc/systemd/system')
      .option('--settings-file <file>', 'where its settings are', '/etc/torpor.env')
  const install = verb('install', 'serve from every start of the machine on, by a systemd unit; the TORPOR_* settings of now are kept')
    .option('--now', 'start it as well')
    .action(async (flags: InstallFlags) => (await import('./install.ts')).install(flags))
  examples(install, 'sudo ./torpor install --now', 'TORPOR_LISTEN=0.0.0.0:3180 ./torpor install')
  verb('uninstall', 'take the unit back; settings and data stay, sandboxes go on').action(async (flags: InstallFlags) =>
    (await import('./install.ts')).uninstall(flags),
  )
}
