import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'

import type { Store } from '@torpor/core'

import { openStore } from './sqlite-store.ts'

/** A store in a directory of its own, for tests. */
export interface TemporaryStore extends Disposable {
  readonly file: string
  readonly store: Store
  /** Closes the store and opens it again, as a restarted server does. */
  reopen(): Store
}

export function temporaryStore(): TemporaryStore {
  const directory = mkdtempSync(path.join(tmpdir(), 'torpor-store-'))
  const file = path.join(directory, 'torpor.db')
  let store = openStore(file)
  return {
    file,
    get store() {
      return store
    },
    reopen: () => {
      store.close()
      store = openStore(file)
      return store
    },
    [Symbol.dispose]: () => {
      store.close()
      rmSync(directory, { recursive: true })
    },
  }
}
