import process from 'node:process'

import { z } from 'zod'

import { exitCodes } from '../exit-codes.ts'
import { print } from '../output/print.ts'
import { withProgress } from '../output/progress.ts'
import type { ConnectionFlags } from '../remote/connection.ts'
import { RemoteProblem } from '../remote/problem.ts'
import { type Session, withSession } from '../remote/session.ts'
import { allSandboxes } from './list.ts'

interface Flags extends ConnectionFlags {
  readonly json?: boolean
}

export interface CreateFlags extends NetworkFlags {
  readonly timeout?: number
  readonly metadata?: Readonly<Record<string, string>>
  readonly env?: Readonly<Record<string, string>>
  readonly onTimeout?: 'pause' | 'kill'
  readonly autoResume?: boolean
}

export interface NetworkFlags extends Flags {
  /** False with `--no-internet`. */
  readonly internet: boolean
  readonly allowOut?: string[]
  readonly denyOut?: string[]
}

/** Prints the id of the new sandbox, and nothing else. */
export async function create(template: string, flags: CreateFlags): Promise<void> {
  await withSession(flags, async ({ sdk, sandboxes }) => {
    const { timeout, metadata, env, onTimeout, autoResume, internet, allowOut, denyOut } = flags
    const lifecycle = (onTimeout !== undefined || autoResume === true) && {
      lifecycle: { onTimeout: onTimeout ?? 'pause', ...(autoResume === true && { autoResume }) },
    }
    const sandbox = await (
      await sandboxes()
    ).create(template, {
      ...sdk,
      ...(timeout !== undefined && { timeoutMs: timeout * 1000 }),
      ...(metadata && { metadata: { ...metadata } }),
      ...(env && { envs: { ...env } }),
      ...lifecycle,
      ...(!internet && { allowInternetAccess: false }),
      ...((allowOut ?? denyOut) && { network: { ...(allowOut && { allowOut }), ...(denyOut && { denyOut }) } }),
    })
    print(flags.json, { sandboxId: sandbox.sandboxId }, () => `${sandbox.sandboxId}\n`)
  })
}

/** Replaces all rules about the outside; without options, there are none any more. */
export async function network(id: string, flags: NetworkFlags): Promise<void> {
  const { internet, allowOut, denyOut } = flags
  await withSession(flags, async ({ sdk, sandboxes }) => {
    const rules = { ...(!internet && { allowInternetAccess: false }), ...(allowOut && { allowOut }), ...(denyOut && { denyOut }) }
    await (await sandboxes()).updateNetwork(id, rules, sdk)
    print(flags.json, { sandboxId: id, ...rules }, () => `${id} obeys\n`)
  })
}

/** Kills those named, or all. Ends with "not found" when one of those named was not there. */
export async function kill(ids: readonly string[], flags: Flags & { readonly all?: boolean }): Promise<void> {
  await withSession(flags, async (session) => {
    if (flags.all !== true && ids.length === 0)
      throw new RemoteProblem('no sandbox is named', exitCodes.usage, { mend: 'name some, or --all' })
    const named = flags.all === true ? (await allSandboxes(session, {})).map(({ sandboxId }) => sandboxId) : ids
    const { sdk, sandboxes } = session
    const Sandbox = await sandboxes()
    const results = await Promise.all(named.map(async (sandboxId) => ({ sandboxId, killed: await Sandbox.kill(sandboxId, sdk) })))
    print(flags.json, results, () => results.map(({ sandboxId, killed }) => `${sandboxId} ${killed ? 'killed' : 'not found'}\n`).join(''))
    // One that ended between the listing and its turn is as wanted.
    if (flags.all !== true && results.some(({ killed }) => !killed)) process.exitCode = exitCodes.notFound
  })
}

/** Resolves when files and, unless `filesOnly`, memory are on disk. */
export async function pause(ids: readonly string[], flags: Flags & { readonly filesOnly?: boolean }): Promise<void> {
  await withSession(flags, async ({ sdk, sandboxes }) => {
    const Sandbox = await sandboxes()
    const results: { sandboxId: string; paused: boolean }[] = []
    for (const sandboxId of ids) {
      const pausing = () =>
        Sandbox.pause(sandboxId, { ...sdk, requestTimeoutMs: 0, ...(flags.filesOnly === true && { keepMemory: false }) })
      results.push({ sandboxId, paused: await withProgress(`pause ${sandboxId}`, pausing) })
    }
    print(flags.json, results, () =>
      results.map(({ sandboxId, paused }) => `${sandboxId} ${paused ? 'paused' : 'was paused already'}\n`).join(''),
    )
  })
}

/** Wakes sleeping sandboxes; of those that run, only the timeout is extended. */
export async function resume(ids: readonly string[], flags: Flags & { readonly timeout?: number }): Promise<void> {
  await withSession(flags, async ({ sdk, sandboxes }) => {
    const Sandbox = await sandboxes()
    for (const sandboxId of ids) {
      const timeout = flags.timeout !== undefined && { timeoutMs: flags.timeout * 1000 }
      await withProgress(`resume ${sandboxId}`, () => Sandbox.connect(sandboxId, { ...sdk, ...timeout }))
    }
    print(
      flags.json,
      ids.map((sandboxId) => ({ sandboxId })),
      () => ids.map((id) => `${id} runs\n`).join(''),
    )
  })
}

const cloned = z.object({ sandboxes: z.array(z.object({ sandboxID: z.string() })) })

export interface CloneFlags extends Flags {
  readonly count: number
  readonly strict?: boolean
  readonly timeout?: number
}

/** Prints the ids of the clones, one a line: as many as could be made, all or none with `strict`. */
export async function clone(id: string, flags: CloneFlags): Promise<void> {
  await withSession(flags, async (session: Session) => {
    const { count, strict = false, timeout } = flags
    const body = { count, strict, ...(timeout !== undefined && { timeout }) }
    const path = `/sandboxes/${encodeURIComponent(id)}/clone`
    const { sandboxes } = await withProgress(`clone ${id}`, () => session.api.ask('POST', path, cloned, { body, milliseconds: 300_000 }))
    const ids = sandboxes.map(({ sandboxID }) => sandboxID)
    print(
      flags.json,
      ids.map((sandboxId) => ({ sandboxId })),
      () => ids.map((cloneId) => `${cloneId}\n`).join(''),
    )
    if (ids.length < count) process.stderr.write(`torpor: ${ids.length} of ${count} clones could be made\n`)
    if (ids.length === 0) process.exitCode = exitCodes.failed
  })
}

/** Prints the id of the snapshot, from which `sandbox create` starts. */
export async function snapshot(id: string, flags: Flags & { readonly name?: string }): Promise<void> {
  await withSession(flags, async ({ sdk, sandboxes }) => {
    const Sandbox = await sandboxes()
    const name = flags.name !== undefined && { name: flags.name }
    const taken = await withProgress(`snapshot of ${id}`, () => Sandbox.createSnapshot(id, { ...sdk, ...name, requestTimeoutMs: 0 }))
    print(flags.json, taken, () => `${taken.snapshotId}\n`)
  })
}
