import { TorporError } from '@torpor/contract'

import { type ApiKey, firstKeyName, hintOf, isUseDue, mostKeys, requireKeyName } from '../domain/api-key.ts'
import type { KeyMaker, KeyStore } from '../ports/key-store.ts'
import type { Clock } from '../ports/platform.ts'

export interface KeyPorts {
  readonly keys: KeyStore
  readonly maker: KeyMaker
  readonly clock: Pick<Clock, 'now'>
}

/** The API keys of a data directory, for the server and for the command line beside it. */
export class Keyring {
  readonly #ports: KeyPorts

  constructor(ports: KeyPorts) {
    this.#ports = ports
  }

  list(): ApiKey[] {
    return this.#ports.keys.list()
  }

  /**
   * Makes a key. It is in force at once, also for a server that runs; nobody can show it a second time.
   * @throws TorporError `invalid_argument` for the name, `conflict` when it is taken, `exhausted` when there are too many.
   */
  create(name: string): { readonly key: string; readonly record: ApiKey } {
    const { keys, maker } = this.#ports
    requireKeyName(name)
    if (keys.list().length >= mostKeys) throw new TorporError('exhausted', `There are ${mostKeys} keys already: revoke one first`)
    const key = maker.make()
    const record = this.#recordOf(name, key)
    if (!keys.insert(record)) throw new TorporError('conflict', `There is a key "${name}" already: revoke it first, or take another name`)
    return { key, record }
  }

  /** Ends a key. @throws TorporError `not_found`; `conflict` for the first one, which every start puts in again. */
  revoke(name: string): void {
    if (name === firstKeyName) {
      const message = `The key "${firstKeyName}" is that of the data directory (file api-key) or of TORPOR_API_KEY: remove or change it there, then \`torpor down && torpor up\``
      throw new TorporError('conflict', message)
    }
    if (!this.#ports.keys.delete(name)) throw new TorporError('not_found', `There is no key "${name}"`)
  }

  /** Puts the key of the configuration in force in the place of the one before. */
  putFirst(key: string): void {
    this.#ports.keys.replace(this.#recordOf(firstKeyName, key))
  }

  /** SHA-256 in hex of every key in force. */
  hashes(): string[] {
    return this.list().map(({ hash }) => hash)
  }

  /** Notes the use of a key. */
  markUsed(hash: string): void {
    const { keys, clock } = this.#ports
    const found = this.list().find((key) => key.hash === hash)
    if (found && isUseDue(found.lastUsedAt, clock.now())) keys.used(hash, clock.now())
  }

  #recordOf(name: string, key: string): ApiKey {
    const { maker, clock } = this.#ports
    return { name, hash: maker.hash(key), hint: hintOf(key), createdAt: clock.now(), lastUsedAt: null }
  }
}
