import process from 'node:process'

import type { CommandHandle } from 'e2b'

import { jsonLine, print } from '../output/print.ts'
import type { ConnectionFlags } from '../remote/connection.ts'
import { withSession } from '../remote/session.ts'
import { shellQuoted } from '../settings/shell-quoted.ts'

export interface ExecFlags extends ConnectionFlags {
  readonly json?: boolean
  readonly cwd?: string
  readonly user?: string
  readonly env?: Readonly<Record<string, string>>
  readonly interactive?: boolean
  readonly background?: boolean
  readonly timeout?: number
}

/** One word is a line for the shell, several are a command and its arguments as they are. */
export const commandLine = (words: readonly string[]): string => (words.length === 1 ? (words[0] ?? '') : words.map(shellQuoted).join(' '))

/** Runs a command, waking the sandbox, with its output as it comes; ends with its exit code. */
export async function exec(id: string, words: readonly string[], flags: ExecFlags): Promise<void> {
  await withSession(flags, async ({ sdk, sandboxes }) => {
    const { cwd, user, env, timeout, interactive = false, background = false, json = false } = flags
    const sandbox = await (await sandboxes()).connect(id, sdk)
    const handle = await sandbox.commands.run(commandLine(words), {
      background: true,
      stdin: interactive,
      timeoutMs: (timeout ?? 0) * 1000,
      ...(cwd !== undefined && { cwd }),
      ...(user !== undefined && { user }),
      ...(env && { envs: { ...env } }),
      onStdout: (text) => (background ? undefined : written(process.stdout, json ? jsonLine({ stdout: text }) : text)),
      onStderr: (text) =>
        background ? undefined : written(json ? process.stdout : process.stderr, json ? jsonLine({ stderr: text }) : text),
    })
    if (background) {
      await handle.disconnect()
      print(json, { pid: handle.pid }, () => `${handle.pid}\n`)
      return
    }
    if (interactive) void passInput(handle)
    const exitCode = await endOf(handle)
    if (json) process.stdout.write(jsonLine({ exitCode }))
    process.exitCode = exitCode
  })
  // Input that nobody reads any more would keep this process.
  process.stdin.destroy()
}

/** Waits until the text is taken: a slow reader holds the stream back. */
const written = (stream: NodeJS.WriteStream, text: string): Promise<void> =>
  new Promise((resolve) => void stream.write(text, () => resolve()))

async function passInput(handle: CommandHandle): Promise<void> {
  try {
    for await (const piece of process.stdin) await handle.sendStdin(piece instanceof Uint8Array ? piece : String(piece))
    await handle.closeStdin()
  } catch {
    // The command ended before its input; its exit code tells the rest.
  }
}

/** Its exit code; Ctrl-C and a termination end the command as well. */
async function endOf(handle: CommandHandle): Promise<number> {
  let signalled: number | undefined
  const end = (code: number) => (): void => {
    signalled = code
    void handle.kill().catch(() => process.exit(code))
  }
  const [onInterrupt, onTerminate] = [end(130), end(143)]
  process.once('SIGINT', onInterrupt).once('SIGTERM', onTerminate)
  try {
    const exitCode = await exitCodeOf(handle)
    return signalled ?? exitCode
  } finally {
    process.off('SIGINT', onInterrupt).off('SIGTERM', onTerminate)
  }
}

/** As a shell says it: 128 and its number for a command that a signal ended. */
export async function exitCodeOf(handle: Pick<CommandHandle, 'wait'>): Promise<number> {
  const { CommandExitError } = await import('e2b')
  try {
    return (await handle.wait()).exitCode
  } catch (error) {
    if (!(error instanceof CommandExitError)) throw error
    return error.exitCode >= 0 && error.exitCode <= 255 ? error.exitCode : signalCode(error.error)
  }
}

const signals: Readonly<Record<string, number>> = {
  hangup: 1,
  interrupt: 2,
  quit: 3,
  aborted: 6,
  killed: 9,
  'segmentation fault': 11,
  'broken pipe': 13,
  terminated: 15,
}

function signalCode(text: string | undefined): number {
  const name = /^signal: ([a-z ]+)/.exec(text ?? '')?.[1]?.trim()
  return 128 + (name === undefined ? 0 : (signals[name] ?? 0))
}
