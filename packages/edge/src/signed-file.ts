import { createHash } from 'node:crypto'

/** What the signature of a file URL covers, as the query says it (protocol.md 3.6). */
export interface SignedFile {
  readonly path: string
  readonly operation: 'read' | 'write'
  readonly username: string
  /** Unix seconds as written in the query; null without one. */
  readonly expiration: string | null
  readonly signature: string
}

/** The signed file that `query` names; undefined without a signature. */
export function signedFileOf(method: string | undefined, query: URLSearchParams): SignedFile | undefined {
  const signature = query.get('signature')
  if (signature === null || signature === '') return undefined
  return {
    path: query.get('path') ?? '',
    operation: method === 'POST' ? 'write' : 'read',
    username: query.get('username') ?? '',
    expiration: query.get('signature_expiration'),
    signature,
  }
}

/** The signature that the holder of `token` makes for `file`. */
export function signatureOf({ path, operation, username, expiration }: Omit<SignedFile, 'signature'>, token: string): string {
  const covered = [path, operation, username, token, ...(expiration === null ? [] : [expiration])].join(':')
  return `v1_${createHash('sha256').update(covered).digest('base64').replace(/=+$/, '')}`
}
