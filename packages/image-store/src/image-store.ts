import { access, mkdir, readFile, readdir, rename, rm, statfs, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { TorporError } from '@torpor/contract'
import type { ImageRef, ImageStore, StagedImage } from '@torpor/core'
import { z } from 'zod'

import { isDiskFull, syncPath, syncTree } from './durable.ts'

export interface ImageStoreOptions {
  readonly directory: string
  /** Bytes that stay free on the volume for everything else. */
  readonly reserveBytes?: number
}

const noteFile = 'torpor-image.json'
const note = z.object({ engineVersion: z.string() })
const namePattern = /^[a-z0-9-]{1,64}\/g\d{1,9}$/
const defaultReserveBytes = 256 * 1024 * 1024

/** Images as `<owner>/g<generation>`; `g<generation>.tmp` while being written. */
export function openImageStore({ directory, reserveBytes = defaultReserveBytes }: ImageStoreOptions): ImageStore {
  const pathOf = (name: string): string => {
    if (!namePattern.test(name)) throw new TorporError('internal', 'No such memory image', { context: { name } })
    return path.join(directory, name)
  }
  return {
    stage: async (owner, generation, engineVersion, expectedBytes) => {
      const name = `${owner}/g${generation}`
      const target = pathOf(name)
      await requireRoom(directory, expectedBytes + reserveBytes)
      return stage(target, { name, engineVersion })
    },
    locate: async (image) => {
      const target = pathOf(image.name)
      await access(path.join(target, noteFile)).catch((cause: unknown) => {
        throw new TorporError('not_found', 'The memory image is not there any more', { context: { target }, cause })
      })
      return target
    },
    remove: (image) => removeImage(pathOf(image.name)),
    sweep: (keep) => sweep(directory, new Set(keep.map((image) => image.name))),
  }
}

async function stage(target: string, image: ImageRef): Promise<StagedImage> {
  const draft = `${target}.tmp`
  await rm(draft, { recursive: true, force: true })
  await translated(mkdir(draft, { recursive: true, mode: 0o700 }))
  let committed = false
  return {
    directory: draft,
    commit: async () => {
      await translated(commit(draft, target, image))
      committed = true
      return image
    },
    discard: async () => {
      if (!committed) await removeImage(draft)
    },
  }
}

/** The order is the promise: content, then the directory that names it, then the rename, then the parents that hold it. */
async function commit(draft: string, target: string, { engineVersion }: ImageRef): Promise<void> {
  await writeFile(path.join(draft, noteFile), JSON.stringify({ engineVersion }), { mode: 0o600 })
  await syncTree(draft)
  await rm(target, { recursive: true, force: true })
  await rename(draft, target)
  await syncPath(path.dirname(target))
  await syncPath(path.dirname(path.dirname(target)))
}

/** An owner without images has no directory. */
async function removeImage(target: string): Promise<void> {
  await rm(target, { recursive: true, force: true })
  const owner = path.dirname(target)
  const left = await readdir(owner).catch(() => undefined)
  if (left?.length === 0) await rm(owner, { recursive: true, force: true })
}

async function sweep(directory: string, keep: ReadonlySet<string>): Promise<string[]> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const removed: string[] = []
  for (const owner of await readdir(directory)) {
    for (const entry of await readdir(path.join(directory, owner))) {
      const name = `${owner}/${entry}`
      if (keep.has(name) && (await isWhole(path.join(directory, name)))) continue
      await removeImage(path.join(directory, name))
      removed.push(name)
    }
    if ((await readdir(path.join(directory, owner)).catch(() => [owner])).length === 0)
      await rm(path.join(directory, owner), { recursive: true })
  }
  return removed
}

const isWhole = async (target: string): Promise<boolean> =>
  note.safeParse(JSON.parse(await readFile(path.join(target, noteFile), 'utf8').catch(() => 'null'))).success

const diskFull = (context: Record<string, unknown>, cause?: unknown): TorporError =>
  new TorporError(
    'no_space',
    "The server's disk is full: the sandbox's memory cannot be saved. Nothing was lost; ask the operator for room",
    {
      context,
      cause,
    },
  )

async function requireRoom(directory: string, bytes: number): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const { bavail, bsize } = await statfs(directory)
  if (bavail * bsize < bytes) throw diskFull({ directory, free: bavail * bsize, needed: bytes })
}

async function translated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (isDiskFull(error)) throw diskFull({}, error)
    throw error
  }
}
