import process from 'node:process'
import { setTimeout as delay } from 'node:timers/promises'

import { z } from 'zod'

import { exitCodes } from '../exit-codes.ts'
import { span } from '../output/format.ts'
import { jsonLine, print } from '../output/print.ts'
import { harmless, pairs, table } from '../output/table.ts'
import type { ConnectionFlags } from '../remote/connection.ts'
import { RemoteProblem } from '../remote/problem.ts'
import { type Session, withSession } from '../remote/session.ts'

interface Flags extends ConnectionFlags {
  readonly json?: boolean
}

const common = {
  templateID: z.string(),
  public: z.boolean(),
  names: z.array(z.string()),
  aliases: z.array(z.string()),
  createdAt: z.string(),
  updatedAt: z.string(),
  spawnCount: z.number(),
}
const size = { cpuCount: z.number(), memoryMB: z.number() }
const listed = z.object({ ...common, ...size, buildID: z.string(), buildStatus: z.string() })
const build = z.object({ ...size, buildID: z.string(), status: z.string(), createdAt: z.string() })
const detail = z.object({ ...common, builds: z.array(build) })
type Listed = z.infer<typeof listed>
type Detail = z.infer<typeof detail>

const place = (id: string): string => `/templates/${encodeURIComponent(id)}`
const nameOf = ({ aliases, templateID }: Pick<Listed, 'aliases' | 'templateID'>): string => aliases[0] ?? templateID

export async function listTemplates(flags: Flags): Promise<void> {
  await withSession(flags, async ({ api }) => {
    const found = await api.ask('GET', '/templates', z.array(listed))
    print(flags.json, found, () => templateTable(found, Date.now()))
  })
}

export function templateTable(templates: readonly Listed[], now: number): string {
  const rows = templates.map((template) => [
    nameOf(template),
    template.templateID,
    template.buildStatus,
    String(template.cpuCount),
    `${template.memoryMB} MiB`,
    String(template.spawnCount),
    template.public ? 'yes' : '',
    `${span(now - Date.parse(template.updatedAt))} ago`,
  ])
  return table(['name', 'id', 'build', 'cpu', 'memory', 'created from', 'public', 'changed'], rows, 'no templates')
}

const getDetail = ({ api }: Session, id: string): Promise<Detail> => api.ask('GET', place(id), detail)

export async function getTemplate(id: string, flags: Flags): Promise<void> {
  await withSession(flags, async (session) => {
    const found = await getDetail(session, id)
    print(flags.json, found, () => describe(found))
  })
}

function describe(found: Detail): string {
  const head = pairs([
    ['id', found.templateID],
    ['names', found.names.join(' ')],
    ['public', found.public ? 'yes' : 'no'],
    ['created from', String(found.spawnCount)],
    ['changed', found.updatedAt],
  ])
  const rows = found.builds.map(({ buildID, status, cpuCount, memoryMB, createdAt }) => [
    buildID,
    status,
    String(cpuCount),
    `${memoryMB} MiB`,
    createdAt,
  ])
  return `${head}\n${table(['build', 'status', 'cpu', 'memory', 'begun'], rows, 'no builds')}`
}

/** Templates and snapshots, by id or name. */
export async function deleteTemplates(ids: readonly string[], flags: Flags): Promise<void> {
  await withSession(flags, async ({ api }) => {
    for (const id of ids) await api.delete(place(id))
    print(
      flags.json,
      ids.map((template) => ({ template, deleted: true })),
      () => ids.map((id) => `${id} deleted\n`).join(''),
    )
  })
}

/** Whether others may create from it. */
export async function publishTemplate(id: string, isPublic: boolean, flags: Flags): Promise<void> {
  await withSession(flags, async ({ api }) => {
    const path = `/v2${place(id)}`
    const { names } = await api.ask('PATCH', path, z.object({ names: z.array(z.string()) }), { body: { public: isPublic } })
    print(flags.json, { template: id, names, public: isPublic }, () => `${id} is ${isPublic ? 'public' : 'private'}\n`)
  })
}

const entry = z.looseObject({ timestamp: z.string(), level: z.string(), message: z.string() })
const status = z.object({ status: z.string(), logEntries: z.array(entry), reason: z.object({ message: z.string() }).optional() })

const pollMilliseconds = 500

/** What a build wrote, of the newest one unless another is named; with `follow` until it ends. Exit code 1 when it failed. */
export async function buildLogs(id: string, buildId: string | undefined, flags: Flags & { readonly follow?: boolean }): Promise<void> {
  await withSession(flags, async (session) => {
    const { templateID, builds } = await getDetail(session, id)
    const wanted = buildId ?? builds[0]?.buildID
    if (wanted === undefined) throw new RemoteProblem(`${id} has no builds`, exitCodes.notFound)
    const path = `${place(templateID)}/builds/${encodeURIComponent(wanted)}/status`
    for (let offset = 0; ;) {
      const found = await session.api.ask('GET', path, status, { query: { logsOffset: offset } })
      offset += found.logEntries.length
      process.stdout.write(found.logEntries.map(flags.json === true ? jsonLine : describeEntry).join(''))
      if (found.logEntries.length > 0) continue
      const isDone = found.status === 'ready' || found.status === 'error'
      if (found.status === 'error')
        throw new RemoteProblem(`the build failed: ${found.reason?.message ?? 'no reason is known'}`, exitCodes.failed)
      if (isDone || flags.follow !== true) return
      await delay(pollMilliseconds)
    }
  })
}

const describeEntry = ({ timestamp, level, message }: z.infer<typeof entry>): string =>
  `${timestamp} ${level.padEnd(5)} ${harmless(message.trimEnd())}\n`
