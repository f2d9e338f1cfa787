import { createHash } from 'node:crypto'
import { statSync } from 'node:fs'
import path from 'node:path'

import { TorporError } from '@torpor/contract'
import { type KeyMaker, Keyring } from '@torpor/core'
import { openStoreBeside } from '@torpor/store-sqlite'

import { makeApiKey } from './config/secrets.ts'

export const keyMaker: KeyMaker = { make: makeApiKey, hash: (key) => createHash('sha256').update(key).digest('hex') }

/**
 * The keys of an existing data directory, beside its server or without it. To be disposed of.
 * @throws TorporError `unavailable` when no server has made it yet, or one of another version; the system's error (EACCES) for strangers.
 */
export function openKeyring(dataDirectory: string): { readonly keyring: Keyring } & Disposable {
  const file = path.join(dataDirectory, 'torpor.db')
  if (!statSync(file, { throwIfNoEntry: false }))
    throw new TorporError('unavailable', 'There is no data directory yet: `torpor up --detach` makes it')
  const store = openStoreBeside(file)
  const keyring = new Keyring({ keys: store.keys, maker: keyMaker, clock: { now: Date.now } })
  return { keyring, [Symbol.dispose]: () => store.close() }
}
