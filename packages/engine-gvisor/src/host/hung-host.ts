import { readFile, readdir } from 'node:fs/promises'

/**
 * Ends every host process that serves `socket`, whatever state it is in; sandboxes go on. Only to be called when none answers there: a
 * hung one holds the lock that its successor needs.
 */
export async function endHosts(socket: string): Promise<void> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number)
  await Promise.all(
    pids.map(async (pid) => {
      if (await serves(pid, socket)) end(pid)
    }),
  )
}

/** The host's own command line, as `HostProcess` starts it: the runtime's processes have others. */
async function serves(pid: number, socket: string): Promise<boolean> {
  const [, command, option, value] = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0')
  return command === 'serve' && option === '--socket' && value === socket
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself meanwhile.
  }
}
