import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import type { ImageRef } from '@torpor/core'
import { z } from 'zod'

import { codeOf, damaged, imageGone } from './damage.ts'
import { syncPath } from './durable.ts'
import { engineFiles, isPageData, noteFile } from './image-files.ts'
import { sumOf } from './piece-sums.ts'
import { isThere } from './presence.ts'

const common = { engineVersion: z.string(), bytes: z.number(), createdAt: z.number() }
/** Page data has no sum here: its sums are noted by the first `verify`. */
const file = z.object({ name: z.string(), size: z.number(), sha256: z.string().optional() })
const version2 = z.object({ version: z.literal(2), kind: z.enum(['memory', 'files']), ...common, files: z.array(file) })
/** Strict, or a damaged note of version 2 could pass for one that has nothing to check. */
const version1 = z.strictObject(common).transform((found) => ({ ...found, kind: 'memory' as const, files: undefined }))
const note = z.union([version2, version1])

/** What a committed image says of itself: what it must be found to be, and the sign that it is whole. */
export type ImageNote = z.infer<typeof note>
export type NotedFile = z.infer<typeof file>

/** Describes a draft; reads every file but the page data. */
export async function describeDraft(directory: string, { kind, engineVersion }: ImageRef): Promise<ImageNote> {
  const found = await engineFiles(directory)
  const files = await Promise.all(
    found.map(async ({ name, size, allocated }): Promise<NotedFile> => {
      if (isPageData({ name, size, allocated })) return { name, size }
      return { name, size, sha256: await sumOf(path.join(directory, name)) }
    }),
  )
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  return { version: 2, kind, engineVersion, bytes, createdAt: Date.now(), files }
}

/** Its content is durable when this returns, its name when the directory is synced. */
export async function writeNote(directory: string, content: ImageNote): Promise<void> {
  const target = path.join(directory, noteFile)
  await writeFile(target, JSON.stringify(content), { mode: 0o600 })
  await syncPath(target)
}

/** @throws TorporError `not_found` when there is no image; `damaged` when it says nothing of itself, or that it is another one. */
export async function readNote(directory: string, { kind, engineVersion }: ImageRef): Promise<ImageNote> {
  const found = await parseNote(directory)
  if (found.kind === kind && found.engineVersion === engineVersion) return found
  const context = { what: 'another image than the recorded one', file: noteFile, found, recorded: { kind, engineVersion } }
  throw damaged('its description is not the recorded one', context)
}

async function parseNote(directory: string): Promise<ImageNote> {
  try {
    return note.parse(JSON.parse(await readFile(path.join(directory, noteFile), 'utf8')))
  } catch (error) {
    if (codeOf(error) === 'ENOENT' && !(await isThere(directory))) throw imageGone(directory)
    throw damaged('its description cannot be read', { what: 'no valid note', file: noteFile, directory }, error)
  }
}
