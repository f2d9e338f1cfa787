import type { ApiKey } from '../domain/api-key.ts'

/** Records of API keys. Durable and synchronous, as the rest of the store; another process may change them at any moment. */
export interface KeyStore {
  /** The oldest first. */
  list(): ApiKey[]
  /** False, and nothing changed, when the name is taken. */
  insert(key: ApiKey): boolean
  /** Puts `key` in the place of that of the same name; its times stay when it is the same key. */
  replace(key: ApiKey): void
  /** False when there was none. */
  delete(name: string): boolean
  /** Notes when the key with this hash was used; a key that is gone stays gone. */
  used(hash: string, at: number): void
}

/** What keys are made of. */
export interface KeyMaker {
  /** A new one, in the form that every SDK accepts. */
  make(): string
  /** SHA-256 in hex. */
  hash(key: string): string
}
