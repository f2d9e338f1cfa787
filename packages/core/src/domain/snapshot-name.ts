import { TorporError } from '@torpor/contract'

/** The namespace of this machine in the full names of snapshots and templates: `local/<name>`. */
export const namespace = 'local'

const part = '[a-z0-9](?:[a-z0-9._-]{0,62}[a-z0-9])?'
const pattern = new RegExp(`^(?:${namespace}/)?(${part})(?::(${part}))?$`)

export interface SnapshotName {
  readonly name: string
  readonly tag: string
}

/**
 * A name as users write it: `<name>`, `<name>:<tag>`, with or without the namespace before it.
 * @throws TorporError `invalid_argument`.
 */
export function parseSnapshotName(text: string): SnapshotName {
  const match = pattern.exec(text)
  if (match?.[1] !== undefined) return { name: match[1], tag: match[2] ?? 'default' }
  throw new TorporError(
    'invalid_argument',
    'name: must be 1 to 64 of a-z, 0-9, dot, dash and underscore, beginning and ending with a letter or digit, perhaps with a tag after a colon',
  )
}
