import type { SandboxInfo } from 'e2b'

import { span } from '../output/format.ts'
import { print } from '../output/print.ts'
import { pairs, table } from '../output/table.ts'
import type { ConnectionFlags } from '../remote/connection.ts'
import { type Session, withSession } from '../remote/session.ts'

export interface ListFlags extends ConnectionFlags {
  readonly json?: boolean
  readonly state?: 'running' | 'paused'
  readonly metadata?: Readonly<Record<string, string>>
}

export async function list(flags: ListFlags): Promise<void> {
  await withSession(flags, async (session) => {
    const found = await allSandboxes(session, flags)
    print(flags.json, found, () => sandboxTable(found, Date.now()))
  })
}

/** Every page of the list. */
export async function allSandboxes(
  { sdk, sandboxes }: Session,
  { state, metadata }: Pick<ListFlags, 'state' | 'metadata'>,
): Promise<SandboxInfo[]> {
  const query = { state: state === undefined ? (['running', 'paused'] as const) : [state], ...(metadata && { metadata: { ...metadata } }) }
  const pages = (await sandboxes()).list({ ...sdk, query: { ...query, state: [...query.state] } })
  const all: SandboxInfo[] = []
  while (pages.hasNext) all.push(...(await pages.nextItems()))
  return all
}

const metadataText = (metadata: Readonly<Record<string, string>>): string =>
  Object.entries(metadata)
    .map(([name, value]) => `${name}=${value}`)
    .join(' ')

/** One line per sandbox. */
export function sandboxTable(sandboxes: readonly SandboxInfo[], now: number): string {
  const rows = sandboxes.map(({ sandboxId, name, templateId, state, startedAt, endAt, cpuCount, memoryMB, metadata }) => [
    sandboxId,
    name ?? templateId,
    state,
    span(now - startedAt.getTime()),
    state === 'paused' ? '' : span(endAt.getTime() - now),
    String(cpuCount),
    `${memoryMB} MiB`,
    metadataText(metadata),
  ])
  return table(['id', 'template', 'state', 'age', 'ends in', 'cpu', 'memory', 'metadata'], rows, 'no sandboxes')
}

export async function info(id: string, flags: ConnectionFlags & { readonly json?: boolean }): Promise<void> {
  await withSession(flags, async ({ sdk, sandboxes }) => {
    const found = await (await sandboxes()).getInfo(id, sdk)
    print(flags.json, found, () => describe(found))
  })
}

function describe(found: SandboxInfo): string {
  const { sandboxId, name, templateId, state, startedAt, endAt, cpuCount, memoryMB, metadata, lifecycle, allowInternetAccess } = found
  return pairs([
    ['id', sandboxId],
    ['template', name === undefined ? templateId : `${name} (${templateId})`],
    ['state', state],
    ['started', startedAt.toISOString()],
    ['ends', endAt.toISOString()],
    ['at its end', `${lifecycle?.onTimeout ?? 'kill'}${lifecycle?.autoResume === true ? ', wakes on traffic' : ''}`],
    ['size', `${cpuCount} CPU, ${memoryMB} MiB`],
    ['internet', allowInternetAccess === false ? 'no' : 'yes'],
    ['metadata', metadataText(metadata)],
  ])
}

/** Prints where a port of the sandbox is served. @throws RemoteProblem when nobody told the domain. */
export async function url(id: string, port: number, flags: ConnectionFlags & { readonly json?: boolean }): Promise<void> {
  await withSession(flags, async ({ sdk, sandboxes, connection }) => {
    const { RemoteProblem } = await import('../remote/problem.ts')
    const { sandboxId } = await (await sandboxes()).getInfo(id, sdk)
    if (connection.domain === undefined) {
      throw new RemoteProblem('the domain of that server is not known', 2, { mend: 'set E2B_DOMAIN, or --domain' })
    }
    const found = `https://${port}-${sandboxId}.${connection.domain}`
    print(flags.json, { url: found }, () => `${found}\n`)
  })
}
