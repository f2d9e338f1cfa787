import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises'
import path from 'node:path'

const pieceBytes = 1024 ** 2
const zeros = Buffer.alloc(pieceBytes)

/** Copies the files and directories below `from` to `to`, which must not exist. Pieces of nothing but zeros take no room. */
export async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { mode: 0o700 })
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)]
    if (entry.isDirectory()) await copyTree(source, target)
    else await copySparse(source, target)
  }
}

async function copySparse(from: string, to: string): Promise<void> {
  await using source = await open(from, 'r')
  const { mode, size } = await source.stat()
  await using target = await open(to, 'wx', mode & 0o777)
  await copyPieces(source, target)
  await target.truncate(size)
}

async function copyPieces(source: FileHandle, target: FileHandle): Promise<void> {
  const buffer = Buffer.alloc(pieceBytes)
  for (let position = 0; ;) {
    const { bytesRead } = await source.read(buffer, 0, pieceBytes, position)
    if (bytesRead === 0) return
    const piece = buffer.subarray(0, bytesRead)
    if (!piece.equals(zeros.subarray(0, bytesRead))) await writeAll(target, piece, position)
    position += bytesRead
  }
}

/** The system may write less than it was asked to. */
async function writeAll(target: FileHandle, piece: Buffer, position: number): Promise<void> {
  for (let done = 0; done < piece.length;) {
    done += (await target.write(piece, done, piece.length - done, position + done)).bytesWritten
  }
}
