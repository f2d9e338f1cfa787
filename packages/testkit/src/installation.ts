import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

import { openStore } from '@torpor/store-sqlite'
import { z } from 'zod'

import { removeData } from './data-directory.ts'
import { serverNumber } from './lose-machine.ts'
import { ownSettings } from './own-settings.ts'
import { processesWith } from './processes.ts'
import { sourceDirectory } from './world.ts'

/** A Torpor that is started and stopped by its own commands, with a data directory and a port of its own. */
export interface Installation {
  readonly dataDirectory: string
  /** The variables under which its commands work. */
  readonly variables: Readonly<Record<string, string | undefined>>
  /** `torpor up --detach`. */
  up(): Promise<void>
  down(): Promise<void>
  /** kill -9 of the server. */
  kill(): void
  /** What `torpor env` prints. */
  env(): Promise<Record<string, string>>
  /** The host process of the engine. */
  engineHostPid(): number
  /** The processes that carry sandboxes. */
  sandboxPids(): number[]
  templateCount(): number
  /** Matches the names of its network namespaces. */
  namespacePattern(): RegExp
  /** Ends everything and removes it. */
  remove(): Promise<void>
}

const run = promisify(execFile)
const serverNote = z.object({ pid: z.int() })

export async function installTorpor(settings: Readonly<Record<string, string>> = {}): Promise<Installation> {
  const dataDirectory = await mkdtemp(path.join(tmpdir(), 'torpor-installed-'))
  // The same port for every start: clients keep it.
  const env = {
    ...process.env,
    ...(await ownSettings(dataDirectory)),
    ...settings,
  }
  // Not the synchronous form: clients in this process must see their connections end.
  const torpor = async (...args: string[]): Promise<string> => {
    const { stdout } = await run(path.join(sourceDirectory, 'torpor'), args, { env, timeout: 120_000 })
    return stdout
  }
  const installation: Installation = {
    dataDirectory,
    variables: env,
    up: async () => void (await torpor('up', '--detach')),
    down: async () => void (await torpor('down')),
    kill: () => process.kill(serverNote.parse(JSON.parse(readFileSync(path.join(dataDirectory, 'server.json'), 'utf8'))).pid, 'SIGKILL'),
    env: async () => parseExports(await torpor('env')),
    engineHostPid: () => processesWith(`/run/torpor/${numberOf(dataDirectory)}/`, 'serve')[0] ?? -1,
    sandboxPids: () => processesWith(`/run/torpor/${numberOf(dataDirectory)}/`, 'boot'),
    templateCount: () => countTemplates(dataDirectory),
    namespacePattern: () => new RegExp(`^torpor${numberOf(dataDirectory)}x`, 'm'),
    remove: async () => {
      await torpor('up', '--detach')
      await torpor('down', '--all')
      await removeData(dataDirectory)
    },
  }
  return installation
}

/** `export NAME='value'` lines. */
function parseExports(text: string): Record<string, string> {
  const lines = [...text.matchAll(/^export (\w+)=(.*)$/gm)]
  return Object.fromEntries(lines.map(([, name, value]) => [name ?? '', (value ?? '').replaceAll(/^['"]|['"]$/g, '')]))
}

/** -1 after it gave it back. */
const numberOf = (dataDirectory: string): number => serverNumber(dataDirectory) ?? -1

function countTemplates(dataDirectory: string): number {
  const store = openStore(path.join(dataDirectory, 'torpor.db'))
  try {
    return store.allTemplates().length
  } finally {
    store.close()
  }
}
