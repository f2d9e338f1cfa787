import { createWriteStream, mkdirSync } from 'node:fs'
import path from 'node:path'
import { pipeline } from 'node:stream/promises'

import type { DockerfileStep } from '@torpor/dockerfile'
import { FileType, Sandbox, type SandboxApiOpts } from 'e2b'

import { exitCodes } from '../exit-codes.ts'
import { RemoteProblem } from '../remote/problem.ts'
import { packed } from './archives.ts'
import type { Taken } from './compose.ts'

/** Ends a sandbox whose client was killed. */
const lifeMilliseconds = 15 * 60_000
/** A file inside may claim any size. */
const mostBytes = 16 * 1024 ** 3

/** Reads what stages have packed into a directory, as `<name>.tar`; says of each whether it is a `file` or a `tree`. */
export function takeArchives(sdk: SandboxApiOpts, template: string, names: readonly string[], into: string): Promise<Map<string, string>> {
  return inside(sdk, template, async (sandbox) => {
    const kinds = new Map<string, string>()
    for (const name of names) {
      await read(sandbox, `${packed(name)}.tar`, path.join(into, `${name}.tar`))
      kinds.set(name, (await sandbox.files.read(`${packed(name)}.kind`, { user: 'root' })).trim())
    }
    return kinds
  })
}

interface Wanted {
  readonly step: DockerfileStep
  readonly source: string
  /** Of the directory into which it goes. */
  readonly name: string
}

/**
 * Reads single files of a template that has no shell into a directory; undefined, and nothing done, when it has one.
 * @throws RemoteProblem with the line, for what is no file.
 */
export function takeFiles(
  sdk: SandboxApiOpts,
  template: string,
  wanted: readonly Wanted[],
  into: string,
): Promise<Map<DockerfileStep, Taken> | undefined> {
  return inside(sdk, template, async (sandbox) => {
    if (await sandbox.files.exists('/bin/sh', { user: 'root' })) return undefined
    const taken = new Map<DockerfileStep, Taken>()
    for (const { step, source, name } of wanted) {
      const found = await sandbox.files.getInfo(`/${source}`, { user: 'root' }).catch(() => undefined)
      if (found?.type !== FileType.FILE) throw noFile(step)
      const file = path.posix.join(name, path.posix.basename(source))
      mkdirSync(path.join(into, name), { recursive: true })
      await read(sandbox, `/${source}`, path.join(into, file))
      taken.set(step, { file, mode: found.mode & 0o7777 })
    }
    return taken
  })
}

function noFile({ line, args: [source = ''] }: DockerfileStep): RemoteProblem {
  const message = `Dockerfile line ${line}: its image has no shell, so only single files can be copied from it, and there is no file /${source}`
  return new RemoteProblem(message, exitCodes.failed)
}

async function read(sandbox: Sandbox, from: string, to: string): Promise<void> {
  const content = await sandbox.files.read(from, { user: 'root', format: 'stream', requestTimeoutMs: 0 })
  await pipeline(bounded(content), createWriteStream(to))
}

async function* bounded(content: AsyncIterable<Uint8Array>): AsyncIterable<Uint8Array> {
  let bytes = 0
  for await (const chunk of content) {
    bytes += chunk.length
    if (bytes > mostBytes) throw new RemoteProblem('what is copied from a stage is larger than 16 GiB', exitCodes.failed)
    yield chunk
  }
}

async function inside<Result>(sdk: SandboxApiOpts, template: string, work: (sandbox: Sandbox) => Promise<Result>): Promise<Result> {
  const sandbox = await Sandbox.create(template, { ...sdk, timeoutMs: lifeMilliseconds })
  try {
    return await work(sandbox)
  } finally {
    await sandbox.kill()
  }
}
