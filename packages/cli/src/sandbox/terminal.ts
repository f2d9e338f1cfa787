import process from 'node:process'

import type { CommandHandle, Sandbox } from 'e2b'

import { exitCodes } from '../exit-codes.ts'
import type { ConnectionFlags } from '../remote/connection.ts'
import { RemoteProblem } from '../remote/problem.ts'
import { withSession } from '../remote/session.ts'
import { exitCodeOf } from './exec.ts'

/** This terminal becomes one of the sandbox, with a login shell; ends with the shell's exit code. */
export async function connect(id: string, flags: ConnectionFlags & { readonly user?: string; readonly cwd?: string }): Promise<void> {
  if (!process.stdin.isTTY || !process.stdout.isTTY) {
    throw new RemoteProblem('a terminal is needed', exitCodes.usage, { mend: `torpor sandbox exec ${id} COMMAND` })
  }
  await withSession(flags, async ({ sdk, sandboxes }) => {
    const { user, cwd } = flags
    const sandbox = await (await sandboxes()).connect(id, sdk)
    const handle = await sandbox.pty.create({
      ...size(),
      timeoutMs: 0,
      ...(user !== undefined && { user }),
      ...(cwd !== undefined && { cwd }),
      onData: (data) => new Promise((resolve) => void process.stdout.write(data, () => resolve())),
    })
    process.exitCode = await attached(sandbox, handle)
  })
}

const size = (): { cols: number; rows: number } => ({ cols: process.stdout.columns || 80, rows: process.stdout.rows || 24 })

async function attached(sandbox: Sandbox, handle: CommandHandle): Promise<number> {
  const { pid } = handle
  // One after the other: keys must not overtake each other.
  let sending = Promise.resolve()
  const onKeys = (keys: Buffer): void => {
    sending = sending.then(() => sandbox.pty.sendInput(pid, keys)).catch(() => undefined)
  }
  const onResize = (): void => void sandbox.pty.resize(pid, size()).catch(() => undefined)
  process.stdin.setRawMode(true).on('data', onKeys)
  process.stdout.on('resize', onResize)
  try {
    return await exitCodeOf(handle)
  } finally {
    process.stdout.off('resize', onResize)
    process.stdin.off('data', onKeys).setRawMode(false).destroy()
  }
}
