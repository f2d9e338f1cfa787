import { createHash, randomUUID } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'

import { syncPath } from '@torpor/file-system'
import { z } from 'zod'

import { isUnreadable } from './damage.ts'
import { sumsFile } from './image-files.ts'
import { pieceBytes } from './piece-sums.ts'

const sha256 = z.string().regex(/^[0-9a-f]{64}$/)
const pages = z.object({ name: z.string(), size: z.number(), pieces: z.array(sha256) })
const content = z.object({ createdAt: z.number(), pieceBytes: z.literal(pieceBytes), pages: z.array(pages) })
const sidecar = z.object({ sha256, content })

/** Sums of one file of page data, one for every piece. */
export type PageSums = z.infer<typeof pages>

const sumOfJson = (value: unknown): string => createHash('sha256').update(JSON.stringify(value)).digest('hex')

/** Makes them durable, whole or not at all. `createdAt` tells of which image they are: its name may be used again. */
export async function writePageSums(directory: string, createdAt: number, pages: readonly PageSums[]): Promise<void> {
  const content = { createdAt, pieceBytes, pages }
  const draft = path.join(directory, `${sumsFile}.${randomUUID()}`)
  try {
    await writeFile(draft, JSON.stringify({ sha256: sumOfJson(content), content }), { mode: 0o600, flag: 'wx' })
    await syncPath(draft)
    await rename(draft, path.join(directory, sumsFile))
  } catch (error) {
    await rm(draft, { force: true }).catch(() => undefined)
    throw error
  }
  await syncPath(directory)
}

/** Undefined when none were noted of this image, or when they are damaged themselves: that says nothing about the pages. */
export async function readPageSums(directory: string, createdAt: number): Promise<readonly PageSums[] | undefined> {
  const text = await readFile(path.join(directory, sumsFile), 'utf8').catch((error: unknown) => {
    if (isUnreadable(error)) return ''
    throw error
  })
  const found = parse(text)
  return found !== undefined && found.sha256 === sumOfJson(found.content) && found.content.createdAt === createdAt
    ? found.content.pages
    : undefined
}

function parse(text: string): z.infer<typeof sidecar> | undefined {
  try {
    return sidecar.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}
