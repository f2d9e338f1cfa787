import process from 'node:process'

import { loadConfig } from '@torpor/server/config'

import { span } from '../output/format.ts'
import { print } from '../output/print.ts'
import { table } from '../output/table.ts'

interface Flags {
  readonly json?: boolean
}

/** Loaded late: it brings the whole server. */
async function openKeyring() {
  const server = await import('@torpor/server')
  return server.openKeyring(loadConfig().dataDirectory)
}

/** Prints the new key, this once, on standard output alone. */
export async function createKey(name: string, flags: Flags): Promise<void> {
  using opened = await openKeyring()
  const { key, record } = opened.keyring.create(name)
  print(flags.json, { name: record.name, key, createdAt: new Date(record.createdAt) }, () => `${key}\n`)
  if (flags.json !== true) process.stderr.write('It is in force now, and is not shown again.\n')
}

export async function listKeys(flags: Flags): Promise<void> {
  using opened = await openKeyring()
  const keys = opened.keyring.list().map(({ name, hint, createdAt, lastUsedAt }) => ({
    name,
    hint,
    createdAt: new Date(createdAt),
    lastUsedAt: lastUsedAt === null ? null : new Date(lastUsedAt),
  }))
  print(flags.json, keys, () => keyTable(keys, Date.now()))
}

interface ListedKey {
  readonly name: string
  readonly hint: string
  readonly createdAt: Date
  readonly lastUsedAt: Date | null
}

export function keyTable(keys: readonly ListedKey[], now: number): string {
  const rows = keys.map(({ name, hint, createdAt, lastUsedAt }) => [
    name,
    `${hint}…`,
    `${span(now - createdAt.getTime())} ago`,
    lastUsedAt === null ? 'never' : `${span(now - lastUsedAt.getTime())} ago`,
  ])
  return table(['name', 'key', 'created', 'last used'], rows, 'no keys')
}

/** Ends a key at once. */
export async function revokeKey(name: string, flags: Flags): Promise<void> {
  using opened = await openKeyring()
  opened.keyring.revoke(name)
  print(flags.json, { name, revoked: true }, () => `${name} revoked\n`)
}
