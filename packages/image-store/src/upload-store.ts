import { randomUUID } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { open, readdir, rename, rm, stat, utimes } from 'node:fs/promises'
import path from 'node:path'

import { TorporError } from '@torpor/contract'
import { type Uploads, filesHashPattern } from '@torpor/core'
import { codeOf, makeDirectory } from '@torpor/file-system'

import { noticeFullDisk, requireRoom } from './disk-full.ts'

export interface UploadStoreOptions {
  readonly directory: string
  /** Bytes of one archive at most. */
  readonly mostBytes: number
  /** Bytes that stay free on the volume for everything else. */
  readonly reserveBytes?: number
}

const defaultReserveBytes = 256 * 1024 * 1024
const draft = '.part'

/** Archives as `<hash>`; `<hash>.<any>.part` while they come in. */
export function openUploadStore({ directory, mostBytes, reserveBytes = defaultReserveBytes }: UploadStoreOptions): Uploads {
  const fileOf = (hash: string): string => {
    if (!filesHashPattern.test(hash)) throw new TorporError('invalid_argument', 'hash: is not the hash of files')
    return path.join(directory, hash)
  }
  return {
    has: async (hash) => {
      const file = fileOf(hash)
      const now = new Date()
      // Whoever asks is about to use it.
      return await utimes(file, now, now).then(
        () => true,
        (error: unknown) => absent(error),
      )
    },
    receive: async (hash, content, announcedBytes) => {
      const file = fileOf(hash)
      if ((announcedBytes ?? 0) > mostBytes) throw tooLarge(mostBytes)
      await noticeFullDisk(directory, () => makeDirectory(directory))
      await requireRoom(directory, (announcedBytes ?? 0) + reserveBytes)
      const part = `${file}.${randomUUID()}${draft}`
      try {
        const bytes = await noticeFullDisk(part, () => write(part, content, mostBytes))
        if (announcedBytes !== undefined && bytes !== announcedBytes) {
          throw new TorporError('invalid_argument', `The upload ended after ${bytes} of ${announcedBytes} bytes. Send it again`)
        }
        await rename(part, file)
      } finally {
        await rm(part, { force: true })
      }
    },
    open: async (hash) => {
      const file = fileOf(hash)
      const found = await stat(file).catch((error: unknown) => absent(error))
      if (!found) throw new TorporError('not_found', 'the files of this step are not there any more; build again to upload them')
      return { bytes: found.size, content: createReadStream(file) }
    },
    clearUnfinished: async () => {
      const names = await readdir(directory).catch((error: unknown) => absent(error) || [])
      for (const name of names.filter((name) => name.endsWith(draft))) await rm(path.join(directory, name), { force: true })
    },
    sweep: async (before) => {
      const names = await readdir(directory).catch((error: unknown) => absent(error) || [])
      for (const name of names) {
        const file = path.join(directory, name)
        const found = await stat(file).catch((error: unknown) => absent(error))
        if (found && found.mtimeMs < before) await rm(file, { force: true })
      }
    },
  }
}

/** Writes as the bytes come, in their order. @throws TorporError `body_too_large`. */
async function write(file: string, content: AsyncIterable<Uint8Array>, mostBytes: number): Promise<number> {
  await using handle = await open(file, 'wx', 0o600)
  let bytes = 0
  for await (const chunk of content) {
    bytes += chunk.byteLength
    if (bytes > mostBytes) throw tooLarge(mostBytes)
    await handle.writeFile(chunk)
  }
  await handle.sync()
  return bytes
}

/** What is not there is no error. */
function absent(error: unknown): false {
  if (codeOf(error) === 'ENOENT') return false
  throw error
}

const tooLarge = (mostBytes: number): TorporError =>
  new TorporError(
    'body_too_large',
    `The files of one COPY may have ${Math.floor(mostBytes / 1024 ** 2)} MiB at most, packed (TORPOR_UPLOAD_MIB)`,
  )
