import { execFile } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'

import { unmountVolume } from './data-directory.ts'
import { processesOf } from './processes.ts'

const run = promisify(execFile)
/** What is gone already is gone as well. */
const attempt = async (file: string, ...args: string[]): Promise<void> => void (await run(file, args).catch(() => undefined))

/** The number that the server of this data directory claimed; undefined when it has none. */
export function serverNumber(dataDirectory: string): number | undefined {
  const claims = readdirSync('/run/torpor').filter((name) => /^\d+$/.test(name))
  const mine = claims.find((name) => readFileSync(path.join('/run/torpor', name, 'owner'), 'utf8') === dataDirectory)
  return mine === undefined ? undefined : Number(mine)
}

/**
 * What a restart of the machine takes away from a server that is dead: every process, namespace, mount and firewall table, and
 * what stood in /run. Its data directory stays.
 */
export async function loseMachine(dataDirectory: string): Promise<void> {
  const number = serverNumber(dataDirectory)
  if (number === undefined) return
  const place = `/run/torpor/${number}`
  for (let left = processesOf(`${place}/`); left.length > 0; left = processesOf(`${place}/`)) {
    for (const pid of left) await attempt('kill', '-9', String(pid))
  }
  const mounts = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
  for (const mount of mounts.filter((each) => each.startsWith(`${place}/`))) await attempt('umount', mount)
  const { stdout } = await run('ip', ['netns', 'list'])
  const namespaces = stdout.split('\n').map((line) => line.split(' ')[0] ?? '')
  for (const name of namespaces.filter((each) => each.startsWith(`torpor${number}x`))) await attempt('ip', 'netns', 'delete', name)
  await attempt('nft', 'delete', 'table', 'inet', `torpor${number}`)
  await unmountVolume(dataDirectory)
  await rm(place, { recursive: true, force: true })
}
