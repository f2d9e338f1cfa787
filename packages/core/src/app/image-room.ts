import type { ImageKind } from '../domain/sandbox.ts'
import type { ExecutionStats } from '../ports/engine.ts'

const mebibyte = 1024 * 1024
/** The state of the sandbox's kernel, and the file system's own notes of where shared blocks lie. */
const unsharedBytes = 32 * mebibyte
const noteShare = 1 / 64

/** What a capture may take of the disk: next to nothing where its blocks are shared. */
export function imageRoom({ memoryBytes, diskBytes, sharesBlocks }: ExecutionStats, kind: ImageKind): number {
  const bytes = diskBytes + (kind === 'memory' ? memoryBytes : 0)
  return sharesBlocks ? Math.min(bytes, unsharedBytes + bytes * noteShare) : bytes
}
