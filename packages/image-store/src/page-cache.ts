import { constants } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'

import { codeOf } from '@torpor/file-system'

// TypeScript knows it of browsers only.
declare const WebAssembly: { Memory: new (options: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer } }

const wasmPage = 64 * 1024

/** Reading past the page cache demands memory at a page's start. Node gives none, but WebAssembly does. */
export const alignedBuffer = (bytes: number): Buffer =>
  Buffer.from(new WebAssembly.Memory({ initial: bytes / wasmPage, maximum: bytes / wasmPage }).buffer)

/** Opens a file for reading past the page cache: a long reading evicts nothing, and sees the disk. Through it where the volume cannot do that. */
export async function openUncached(file: string): Promise<FileHandle> {
  try {
    return await open(file, constants.O_RDONLY | constants.O_DIRECT)
  } catch (error) {
    if (codeOf(error) === 'EINVAL') return open(file, 'r')
    throw error
  }
}
