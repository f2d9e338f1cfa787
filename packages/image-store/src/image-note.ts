import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'

import type { ImageRef } from '@torpor/core'
import { z } from 'zod'

import { damaged, noticeDamage } from './damage.ts'
import { type ImageFile, engineFiles, isPageData, noteFile } from './image-files.ts'
import { sumOf } from './piece-sums.ts'

const common = { engineVersion: z.string(), bytes: z.number(), createdAt: z.number(), diskBytes: z.number().optional() }
/** Page data has no sum here: its sums are noted by the first `verify`. */
const file = z.object({ name: z.string(), size: z.number(), sha256: z.string().optional() })
const version2 = z.object({ version: z.literal(2), kind: z.enum(['memory', 'files']), ...common, files: z.array(file) })
/** Strict, or a damaged note of version 2 could pass for one that has nothing to check. */
const version1 = z.strictObject(common).transform((found) => ({ ...found, kind: 'memory' as const, files: undefined }))
const note = z.union([version2, version1])

/** What a committed image says of itself: what it must be found to be, and the sign that it is whole. */
export type ImageNote = z.infer<typeof note>
export type NotedFile = z.infer<typeof file>

/** Describes a draft, for which it reads every file but the page data. Not synced. */
export async function writeNote(directory: string, { kind, engineVersion }: ImageRef, diskBytes: number | undefined): Promise<void> {
  const files = await Promise.all((await engineFiles(directory)).map((file) => describe(directory, file)))
  const bytes = files.reduce((sum, { size }) => sum + size, 0)
  const content: ImageNote = {
    version: 2,
    kind,
    engineVersion,
    bytes,
    createdAt: Date.now(),
    files,
    ...(diskBytes !== undefined && { diskBytes }),
  }
  await writeFile(path.join(directory, noteFile), JSON.stringify(content), { mode: 0o600 })
}

async function describe(directory: string, file: ImageFile): Promise<NotedFile> {
  const { name, size } = file
  return isPageData(file) ? { name, size } : { name, size, sha256: await sumOf(path.join(directory, name)) }
}

/** @throws TorporError `damaged` when an image says nothing of itself, or that it is another one. */
export async function readNote(directory: string, { kind, engineVersion }: ImageRef): Promise<ImageNote> {
  const found = await parseNote(directory)
  if (found.kind === kind && found.engineVersion === engineVersion) return found
  const context = {
    what: 'identity',
    file: noteFile,
    noted: { kind: found.kind, engineVersion: found.engineVersion },
    recorded: { kind, engineVersion },
  }
  throw damaged('it is not the one that was recorded', context)
}

async function parseNote(directory: string): Promise<ImageNote> {
  const text = await noticeDamage(noteFile, () => readFile(path.join(directory, noteFile), 'utf8'))
  try {
    return note.parse(JSON.parse(text))
  } catch (error) {
    throw damaged('its description makes no sense', { what: 'note', file: noteFile }, error)
  }
}
