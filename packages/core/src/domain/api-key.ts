import { TorporError } from '@torpor/contract'

/** A key that opens the API, as kept: of the key itself there is only its hash. */
export interface ApiKey {
  /** Unique; how people speak of it. */
  readonly name: string
  /** SHA-256 of the key, in hex. */
  readonly hash: string
  /** The beginning of the key, by which its owner knows it again. */
  readonly hint: string
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  /** To the minute; null: never. */
  readonly lastUsedAt: number | null
}

/** The key of the data directory or of the configuration, put in at every start of a server. */
export const firstKeyName = 'default'

/** Far above what a machine needs, and few enough that comparing with all of them costs nothing. */
export const mostKeys = 100

/** A use is written down when the last one on record is older than this (ms): not every request is a write. */
const useResolution = 60_000

export const isUseDue = (lastUsedAt: number | null, now: number): boolean => lastUsedAt === null || now - lastUsedAt >= useResolution

/** What of a key may be shown. */
export const hintOf = (key: string): string => key.slice(0, 8)

const namePattern = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/

/** @throws TorporError `invalid_argument` for a name that no key can have. */
export function requireKeyName(name: string): string {
  if (namePattern.test(name)) return name
  throw new TorporError(
    'invalid_argument',
    'name: must be 1 to 64 letters, digits, dots, dashes or underscores, and begin and end with a letter or digit',
  )
}
