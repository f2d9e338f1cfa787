import { stat } from 'node:fs/promises'
import path from 'node:path'

import { damaged, noticeDamage } from './damage.ts'
import { noticeFullDisk } from './disk-full.ts'
import { requireSize, requireSum } from './image-check.ts'
import { engineFiles } from './image-files.ts'
import type { ImageNote, NotedFile } from './image-note.ts'
import { type PageSums, readPageSums, writePageSums } from './page-sums.ts'
import { type Pace, type PieceSum, pieceBytes, sumPieces } from './piece-sums.ts'

/** Reads an image whole. Page data is compared with the sums of its first reading, which notes them. @throws TorporError `damaged`. */
export async function verifyImage(directory: string, note: ImageNote, pace: Pace): Promise<'noted' | 'intact'> {
  const known = await readPageSums(directory, note.createdAt)
  const files: readonly NotedFile[] = note.files ?? known ?? (await engineFiles(directory))
  const read: PageSums[] = []
  for (const file of files) {
    const noted = known?.find(({ name }) => name === file.name)
    const found = await noticeDamage(file.name, () => readFileOf(directory, file, { pace, noted }))
    if (found) read.push(found)
  }
  if (known) return 'intact'
  await noticeFullDisk(directory, () => writePageSums(directory, note.createdAt, read))
  return 'noted'
}

interface Reading {
  readonly pace: Pace
  /** Of the first reading. */
  readonly noted: PageSums | undefined
}

/** Gives the sums of page data; nothing for a file whose sum was noted at the commit. */
async function readFileOf(directory: string, { name, size, sha256 }: NotedFile, { pace, noted }: Reading): Promise<PageSums | undefined> {
  const target = path.join(directory, name)
  requireSize(name, size, (await stat(target)).size)
  if (sha256 !== undefined) {
    for await (const whole of sumPieces(target, Infinity, pace)) requireSum(name, sha256, whole.sha256)
    return undefined
  }
  const pieces: string[] = []
  for await (const piece of sumPieces(target, pieceBytes, pace)) {
    if (noted) requirePiece(name, piece, noted.pieces[pieces.length])
    pieces.push(piece.sha256)
  }
  return { name, size, pieces }
}

function requirePiece(file: string, { offset, sha256 }: PieceSum, noted: string | undefined): void {
  if (sha256 === noted) return
  throw damaged('its pages are not what was saved', { what: 'content', file, offset, length: pieceBytes, noted, found: sha256 })
}
