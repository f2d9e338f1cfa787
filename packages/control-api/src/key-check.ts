import { createHash, timingSafeEqual } from 'node:crypto'

/** Tells whether a key opens the API. */
export interface KeyCheck {
  accepts(key: string): boolean
}

/**
 * Accepts a key whose SHA-256 is among `hashes` (hex), asked at every call so that a revoked key ends at once. Compares with
 * all of them in constant time. `onAccepted` is told of the hash.
 */
export function hashedKeys(hashes: () => string[], onAccepted?: (hash: string) => void): KeyCheck {
  return {
    accepts: (key) => {
      const digest = createHash('sha256').update(key).digest()
      let accepted: string | undefined
      for (const hash of hashes()) {
        const known = Buffer.from(hash, 'hex')
        if (known.length === digest.length && timingSafeEqual(known, digest)) accepted = hash
      }
      if (accepted !== undefined) onAccepted?.(accepted)
      return accepted !== undefined
    },
  }
}
