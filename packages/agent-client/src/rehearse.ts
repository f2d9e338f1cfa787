import { isKind } from '@torpor/contract'
import type { AgentCommand } from '@torpor/core'

import { run } from './run-process.ts'

/** Opens what a login shell would read, and runs nothing of it: somebody's profile may leave traces. */
const openProfiles =
  'for file in /etc/profile /etc/profile.d/*.sh ~/.bash_profile ~/.profile ~/.bashrc; do [ -r "$file" ] && : <"$file"; done; :'

const rehearsal: AgentCommand = {
  program: '/bin/bash',
  args: ['--noprofile', '--norc', '-c', openProfiles],
  // The agent's default.
  user: '',
  workdir: '/',
  env: {},
  timeoutMilliseconds: 5000,
}

/**
 * Goes the way of a command once: right after a restore no file is open and no page in place, which takes the first command half as
 * long again. An image without a shell has nothing to rehearse.
 */
export async function rehearse(address: string): Promise<void> {
  const nothing = { onOutput: () => undefined, signal: AbortSignal.timeout(10_000) }
  await run(address, rehearsal, nothing).catch((error: unknown) => {
    if (!isKind(error, 'invalid_argument')) throw error
  })
}
