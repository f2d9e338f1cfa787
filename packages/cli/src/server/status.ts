import path from 'node:path'
import process from 'node:process'

import { type Config, loadConfig, readApiKey } from '@torpor/server/config'
import { freeBytes } from '@torpor/setup'
import type { VolumeFindings } from '@torpor/volume'

import { describeVolume, volumeOf } from '../machine/volume.ts'
import { version } from '../version.ts'
import { type Inventory, type Preparation, isHealthy, listPreparations, takeInventory } from './api-client.ts'
import { diskUse } from './disk-use.ts'
import { inventoryTable } from './inventory-table.ts'
import { servingServer } from './server-record.ts'

interface Status {
  readonly server: 'running' | 'not answering' | 'stopped'
  readonly version: string
  readonly address: string | null
  /** `host:port` of TLS; null when it is off. */
  readonly tlsAddress: string | null
  readonly pid: number | null
  readonly startedAt: string | null
  /** null when they could not be asked for. */
  readonly sandboxes: { readonly running: number; readonly paused: number } | null
  /** What each of them costs; null when it could not be asked for. */
  readonly inventory: Inventory | null
  /** Templates that are not ready; null when they could not be asked for. */
  readonly preparations: readonly Preparation[] | null
  /** Where images and memory lie; null for anybody but root. */
  readonly volume: VolumeFindings | null
  readonly disk: { readonly usedBytes: number; readonly freeBytes: number }
}

/** The exit code that service managers know for "not running". */
const notRunning = 3

export async function status(options: { readonly json: boolean }): Promise<void> {
  const found = await look(loadConfig())
  process.stdout.write(options.json ? `${JSON.stringify(found, null, 2)}\n` : describe(found))
  if (found.server !== 'running') process.exitCode = notRunning
}

async function look(config: Config): Promise<Status> {
  const record = await servingServer(config.dataDirectory)
  const healthy = record !== undefined && (await isHealthy(record.address))
  const inventory = healthy ? await ask(config, record.address) : null
  return {
    server: healthy ? 'running' : record === undefined ? 'stopped' : 'not answering',
    version: version(),
    address: record?.address ?? null,
    tlsAddress: record?.tlsAddress ?? null,
    pid: record?.pid ?? null,
    startedAt: record?.startedAt ?? null,
    sandboxes: inventory && countOf(inventory),
    inventory,
    preparations: healthy ? await preparationsOf(config, record.address) : null,
    volume: (await volumeOf(config)) ?? null,
    disk: {
      // What lies in a mounted volume takes its blocks from the volume's file, and shares many of them.
      usedBytes: await diskUse(config.dataDirectory, [config.artifactDirectory, path.join(config.dataDirectory, 'volume')]),
      freeBytes: freeBytes(config.dataDirectory),
    },
  }
}

async function ask(config: Config, address: string): Promise<Inventory | null> {
  const key = readApiKey(config.dataDirectory, config)
  return key === undefined ? null : takeInventory(address, key)
}

function countOf({ sandboxes }: Inventory): { readonly running: number; readonly paused: number } {
  const paused = sandboxes.filter(({ state }) => state === 'paused' || state === 'damaged').length
  return { running: sandboxes.length - paused, paused }
}

async function preparationsOf(config: Config, address: string): Promise<Status['preparations']> {
  const key = readApiKey(config.dataDirectory, config)
  return key === undefined ? null : await listPreparations(address, key)
}

const mebibytes = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MiB`

function describe({
  server,
  version,
  address,
  tlsAddress,
  pid,
  startedAt,
  sandboxes,
  inventory,
  preparations,
  volume,
  disk,
}: Status): string {
  const lines = [`server     ${server}`, `version    ${version}`]
  if (address !== null) lines.push(`address    http://${address}`, `pid        ${pid}, since ${startedAt}`)
  if (tlsAddress !== null) lines.push(`TLS        ${tlsAddress}`)
  if (sandboxes !== null) lines.push(`sandboxes  ${sandboxes.running} running, ${sandboxes.paused} paused`)
  for (const { name, state, step, since } of preparations ?? []) lines.push(`template   ${name}: ${state} (${step}), since ${since}`)
  if (volume !== null) lines.push(`volume     ${describeVolume(volume)}`)
  lines.push(`disk       ${mebibytes(disk.usedBytes)} used, ${mebibytes(disk.freeBytes)} free`)
  if (inventory) lines.push('', ...inventoryTable(inventory))
  return `${lines.join('\n')}\n`
}
