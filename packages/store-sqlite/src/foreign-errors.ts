import { type ErrorKind, TorporError } from '@torpor/contract'

/** SQLite's primary result codes that mean something to a caller. */
const kinds: Readonly<Record<number, ErrorKind>> = { 5: 'unavailable', 13: 'no_space', 19: 'conflict' }

const messages: Readonly<Partial<Record<ErrorKind, string>>> = {
  unavailable: 'The database of the server is busy. Try again',
  no_space: "The server's disk is full: nothing was changed; ask the operator for room",
  conflict: 'There is such a record already',
}

/** Does `work`; what SQLite throws becomes a `TorporError`. */
export function translated<T>(work: () => T): T {
  try {
    return work()
  } catch (cause) {
    if (!(cause instanceof Error && 'errcode' in cause && typeof cause.errcode === 'number')) throw cause
    const kind = kinds[cause.errcode % 256] ?? 'internal'
    throw new TorporError(kind, messages[kind] ?? 'The database of the server failed', { context: { errcode: cause.errcode }, cause })
  }
}
